import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type Provider from 'oidc-provider';
import { errorPage, signInPage, startPage } from './pages.js';
import { accountOf, createProvider, type IssuerParts } from './provider.js';

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
};

/** The issuer's HTTP server: its own two pages, and oidc-provider for everything else. */
export function createIssuer(parts: IssuerParts): Server {
  const provider = createProvider(parts);
  const openId = provider.callback();
  return createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path === '/' && request.method === 'GET') return send(response, 200, startPage(parts.organisations));
    if (!path.startsWith('/sign-in/')) return void openId(request, response);
    signIn(provider, parts, request, response).catch((error: unknown) => refuse(response, error));
  });
}

async function signIn(provider: Provider, { organisations }: IssuerParts, request: IncomingMessage, response: ServerResponse) {
  await provider.interactionDetails(request, response); // refuses a page that nobody was sent to, or that is too old
  if (request.method !== 'POST') return send(response, 200, signInPage(organisations, request.url!));
  const accountId = new URLSearchParams(await text(request)).get('account');
  const isKnown = organisations.some(({ people }) => people.some((person) => accountOf(person) === accountId));
  if (!accountId || !isKnown) return send(response, 400, errorPage('Nobody here is called that'));
  await provider.interactionFinished(request, response, { login: { accountId } }, { mergeWithLastSubmission: false });
}

function refuse(response: ServerResponse, error: unknown) {
  if (!isSessionGone(error)) console.error(error);
  if (!response.headersSent) send(response, 400, errorPage('This sign-in is over. Go back to the application and begin again'));
}

const isSessionGone = (error: unknown) => error instanceof Error && error.name === 'SessionNotFound';

function send(response: ServerResponse, status: number, page: string) {
  response.writeHead(status, headers).end(page);
}
