import { randomBytes } from 'node:crypto';
import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { claimsOf, type Organisation, type Person } from './people.js';
import { errorPage, signOutPage, signedOutPage } from './pages.js';
import { audience, type Signer } from './signer.js';

const hour = 3_600;
const day = 24 * hour;

/** Oidc-provider wants a URI for what tokens are good for; services see the plain audience. */
const resource = `urn:${audience}`;

/** What an issuer is made of. */
export interface IssuerParts {
  signer: Signer;
  organisations: Organisation[];
  consoleClientId: string;
  consoleOrigins: string[];
}

/** Account of a person. Two organisations may each have an `ada`, so the account is not the `sub` of their tokens. */
export const accountOf = ({ org, sub }: Pick<Person, 'org' | 'sub'>) => `${org}/${sub}`;

/** An OpenID Connect issuer for people on this machine: no passwords, no consent, everything but its key in memory. */
export function createProvider(parts: IssuerParts): Provider {
  const people = new Map(parts.organisations.flatMap((organisation) => organisation.people).map((person) => [accountOf(person), person]));
  const provider = new Provider(parts.signer.issuer, configurationFor(parts, people));
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}

function configurationFor(parts: IssuerParts, people: Map<string, Person>): Configuration {
  return {
    jwks: { keys: [parts.signer.key] },
    clients: [consoleClient(parts)],
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    claims: { openid: ['sub'], profile: ['name', 'org', 'role'], email: ['email'] },
    // The console has no other call to learn who signed in.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    ttl: { AccessToken: hour, IdToken: hour, AuthorizationCode: 60, RefreshToken: 14 * day, Session: 14 * day, Grant: 14 * day, Interaction: hour },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    findAccount: (_ctx, account) => findAccount(people, account),
    clientBasedCORS: (_ctx, origin) => parts.consoleOrigins.includes(origin),
    loadExistingGrant: grantEverything,
    interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
    extraTokenClaims: (_ctx, token) => {
      const person = 'accountId' in token && people.get(token.accountId);
      return person ? claimsOf(person) : undefined;
    },
    // Accounts and the `sub` of tokens are not the same here; this is where oidc-provider asks for the latter.
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: async (_ctx, account) => people.get(account)?.sub ?? account,
    sectorIdentifierUriValidate: () => false,
    features,
    renderError: (ctx, { error, error_description }) => {
      ctx.type = 'html';
      ctx.body = errorPage(error_description ?? error);
    },
  };
}

/** Access tokens are JWTs for the services, whether or not a client asks for them; who signs out sees our pages. */
const features: Configuration['features'] = {
  devInteractions: { enabled: false },
  resourceIndicators: {
    enabled: true,
    defaultResource: () => resource,
    useGrantedResource: () => true,
    getResourceServerInfo: () => ({
      scope: 'openid profile email offline_access',
      audience,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'RS256' } },
    }),
  },
  rpInitiatedLogout: {
    enabled: true,
    logoutSource: (ctx, form) => void (ctx.body = signOutPage(form)),
    postLogoutSuccessSource: (ctx) => void (ctx.body = signedOutPage()),
  },
};

const consoleClient = ({ consoleClientId, consoleOrigins }: IssuerParts) => ({
  client_id: consoleClientId,
  client_name: 'Deskstream',
  application_type: 'web' as const,
  token_endpoint_auth_method: 'none' as const,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code' as const],
  subject_type: 'pairwise' as const,
  // Wanted of such a client with addresses on two hosts; nobody reads it.
  sector_identifier_uri: 'https://deskstream.invalid/',
  redirect_uris: consoleOrigins.flatMap((origin) => ['/', '/callback', '/signed-in'].map((path) => origin + path)),
  post_logout_redirect_uris: consoleOrigins.map((origin) => `${origin}/`),
});

async function findAccount(people: Map<string, Person>, accountId: string) {
  const person = people.get(accountId);
  return person && { accountId, claims: async () => claimsOf(person) };
}

/** The only client is our own console, so nobody is asked to consent. */
async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc;
  const known = session?.grantIdFor(client!.clientId);
  const kept = known && (await provider.Grant.find(known));
  if (kept) return kept;
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
  grant.addOIDCScope('openid profile email offline_access');
  grant.addResourceScope(resource, 'openid profile email offline_access');
  await grant.save();
  return grant;
}
