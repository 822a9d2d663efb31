import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Mailbox, TakenMail } from './mailbox.js';
import { emptyPage, listPage, mailPage } from './pages.js';

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The pages of a mailbox: the list at `/`, each mail at `/mails/<id>` (as it came with `.eml`), and the same for programs at `/mails.json`. */
export function createMailPages(mailbox: Mailbox): Server {
  return createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    // A page of somebody else's in the same browser, by a name of its own for this machine, is not to read mails.
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) return send(response, 403, 'text/plain', 'This is for this machine only.');
    if (path === '/mails' && request.method === 'DELETE') {
      mailbox.clear();
      return send(response, 204, 'text/plain', '');
    }
    if (request.method !== 'GET') return send(response, 405, 'text/plain', 'Mails are read here.');
    answer(response, path, mailbox.mails);
  });
}

function answer(response: ServerResponse, path: string, mails: readonly TakenMail[]) {
  if (path === '/mails.json') return send(response, 200, 'application/json', JSON.stringify({ items: mails }));
  if (path === '/') return send(response, 200, 'text/html', listPage(mails));
  const [, id, isRaw] = /^\/mails\/([0-9a-f-]{36})(\.eml)?$/.exec(path) ?? [];
  const mail = mails.find((one) => one.id === id);
  if (mail === undefined) return send(response, 404, 'text/html', emptyPage('There is no such mail (any more)'));
  if (isRaw) return send(response, 200, 'text/plain', Buffer.from(mail.raw, 'latin1'));
  send(response, 200, 'text/html', mailPage(mail));
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer) {
  response.writeHead(status, { ...headers, 'content-type': `${type}; charset=utf-8` }).end(body);
}
