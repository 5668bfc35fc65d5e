// Clients of OAuth 2.0 and OpenID Connect from npm, unmodified: they find a tenant by its issuer, refresh a token, ask
// whose it is and what it is good for, and give it up. Takes the issuer, a refresh token, and the id and secret of a
// server of the shop; prints what they found, as JSON.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

const [issuer, refreshToken, serverId, serverSecret] = process.argv.slice(2);
const CLIENT = 'storefront';
const found = {};

async function introspectSigned(token) {
  const client = { client_id: serverId, introspection_signed_response_alg: 'ES256' };
  const authentication = oauth.ClientSecretPost(serverSecret);
  const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer)));
  const options = { requestJwtResponse: true };
  const response = await oauth.introspectionRequest(server, client, authentication, token, options);
  const told = await oauth.processIntrospectionResponse(server, client, response);
  await oauth.validateApplicationLevelSignature(server, response);
  const asked = await oauth.userInfoRequest(server, client, token);
  const user = await oauth.processUserInfoResponse(server, client, told.sub, asked);
  found.oauth4webapi = { sub: told.sub, email: user.email, type: response.headers.get('content-type') };
}

for (const algorithm of ['oidc', 'oauth2']) {
  const configuration = await openid.discovery(new URL(issuer), CLIENT, undefined, openid.None(), { algorithm });
  found[`openid-client ${algorithm}`] = configuration.serverMetadata().token_endpoint;
  if (algorithm === 'oidc') {
    const answer = await openid.refreshTokenGrant(configuration, refreshToken);
    found.refreshed = answer.token_type;
    const server = await openid.discovery(new URL(issuer), serverId, serverSecret, openid.ClientSecretBasic(serverSecret));
    const told = await openid.tokenIntrospection(server, answer.access_token);
    const user = await openid.fetchUserInfo(configuration, answer.access_token, told.sub);
    found['openid-client'] = { sub: told.sub, email: user.email };
    await introspectSigned(answer.access_token);
    await openid.tokenRevocation(configuration, answer.refresh_token);
    found['openid-client'].activeAfterRevocation = (await openid.tokenIntrospection(server, answer.access_token)).active;
    await openid.fetchUserInfo(configuration, answer.access_token, told.sub).catch((error) => {
      found['openid-client'].refusal = error.cause[0].parameters.error;
    });
  }
}
for (const algorithm of ['oidc', 'oauth2']) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm });
  const server = await oauth.processDiscoveryResponse(new URL(issuer), response);
  found[`oauth4webapi ${algorithm}`] = server.token_endpoint;
}
console.log(JSON.stringify(found));
