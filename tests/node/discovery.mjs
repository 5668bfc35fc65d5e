// Clients of OAuth 2.0 and OpenID Connect from npm, unmodified: they find a tenant by its issuer and refresh a token.
// Takes the issuer and a refresh token; prints what they found, as JSON.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

const [issuer, refreshToken] = process.argv.slice(2);
const CLIENT = 'storefront';
const found = {};

for (const algorithm of ['oidc', 'oauth2']) {
  const configuration = await openid.discovery(new URL(issuer), CLIENT, undefined, openid.None(), { algorithm });
  found[`openid-client ${algorithm}`] = configuration.serverMetadata().token_endpoint;
  if (algorithm === 'oidc') {
    const answer = await openid.refreshTokenGrant(configuration, refreshToken);
    found.refreshed = answer.token_type;
  }
}
for (const algorithm of ['oidc', 'oauth2']) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm });
  const server = await oauth.processDiscoveryResponse(new URL(issuer), response);
  found[`oauth4webapi ${algorithm}`] = server.token_endpoint;
}
console.log(JSON.stringify(found));
