// npm's certified OpenID provider on a free port of loopback. Whoever is named as login_hint is logged in at once.
// Prints its issuer when it listens, and ends when its standard input does.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const REDIRECT_URI = 'https://shop.example/callback';
const RESOURCE = 'https://shop.example/api';
const SECRET = 'our secret: 100% +/&';
const PEOPLE = {
  ada: { email: 'ada@example.com', email_verified: true, given_name: 'Ada', family_name: 'Lovelace' },
  mallory: { email: 'ada@example.com', email_verified: false, given_name: 'Mallory' },
};

const client = (client_id, more = {}) => ({
  client_id,
  client_secret: SECRET,
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code'],
  ...more,
});

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://localhost:${server.address().port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [
    client('shop'),
    client('someone-else'),
    client('late'),
    client('by-post', { token_endpoint_auth_method: 'client_secret_post' }),
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['only for tests'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name'] },
  conformIdTokenClaims: false,
  pkce: { methods: ['S256'], required: () => false },
  ttl: { IdToken: (_, __, { clientId }) => (clientId === 'late' ? -120 : 300), AccessToken: 300, Grant: 300, Session: 300 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'openid', audience: 'shop', accessTokenFormat: 'jwt' }),
    },
  },
});

const respond = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    respond(request, response);
    return;
  }
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: params.login_hint, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  if (params.resource) grant.addResourceScope(RESOURCE, 'openid');
  const result = { login: { accountId: params.login_hint }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});

process.stdin.resume();
process.stdin.on('end', () => process.exit());
console.log(issuer);
