// oidc-provider as the harness uses it: ES256, private_key_jwt, PAR, DPoP, introspection, and its
// experimental credential issuer, whose callback issues by @sd-jwt.
// `--check` prints versions, or fails where a package is missing. Else BENCH_SETUP (JSON) says all.
import { randomBytes } from 'node:crypto';
import { load, version } from './installed.mjs';
import { issuer, name as sdJwt, newKey } from './sd_jwt.mjs';

if (process.argv[2] === '--check') {
  console.log(`oidc-provider ${version('oidc-provider')} with ${sdJwt}`);
  process.exit(0);
}

const { default: Provider } = await load('oidc-provider');
const setup = JSON.parse(process.env.BENCH_SETUP);
const signing = newKey();
const credentials = await issuer(newKey());

// An unbounded store, so that no replay is forgotten; expired entries go when they are met.
const entries = new Map();
const byUid = new Map();

class Memory {
  constructor(model) {
    this.model = model;
  }

  name(id) {
    return `${this.model} ${id}`;
  }

  async upsert(id, payload) {
    entries.set(this.name(id), payload);
    if (this.model === 'Session') byUid.set(payload.uid, payload);
  }

  async find(id) {
    return entries.get(this.name(id));
  }

  async findByUid(uid) {
    return byUid.get(uid);
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    entries.get(this.name(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.name(id));
  }

  async revokeByGrantId() {}
}

const byKey = {
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: setup.jwks,
};
const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...byKey };

const headerOf = (jwt) => JSON.parse(Buffer.from(jwt.slice(0, jwt.indexOf('.')), 'base64url'));

// By now the endpoint has verified the proofs, and that each has its key in `jwk`.
async function issueCredential(ctx, { proofs }) {
  const iat = Math.floor(Date.now() / 1000);
  const frame = { _sd: setup.credential.hidden };
  const issued = [];
  for (const proof of proofs.jwt) {
    const claims = { ...setup.credential.claims, iat, cnf: { jwk: headerOf(proof).jwk } };
    issued.push({ credential: await credentials.issue(claims, frame) });
  }
  return { credentials: issued };
}

const accessTo = (resource) => {
  if (resource.endsWith('/credential')) return { scope: setup.credential.scope, accessTokenFormat: 'opaque' };
  const accessTokenFormat = resource === setup.opaque_resource ? 'opaque' : 'jwt';
  return { scope: 'orders.read', accessTokenFormat, jwt: { sign: { alg: 'ES256' } } };
};

const provider = new Provider(setup.issuer, {
  adapter: Memory,
  jwks: { keys: [{ ...signing, alg: 'ES256', use: 'sig' }] },
  clients: [
    { client_id: 'bench-machine', ...machine },
    { client_id: 'bench-bound', dpop_bound_access_tokens: true, ...machine },
    {
      client_id: 'bench-web',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [setup.redirect_uri],
      id_token_signed_response_alg: 'ES256',
      ...byKey,
    },
    {
      client_id: 'bench-basic',
      client_secret: setup.secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
  ],
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: {
    clientAuthSigningAlgValues: ['ES256'],
    dPoPSigningAlgValues: ['ES256'],
    idTokenSigningAlgValues: ['ES256'],
  },
  scopes: ['openid', 'orders.read'],
  claims: { openid: ['sub', 'entity_name'] },
  cookies: { keys: ['bench'] },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, entity_name: 'Sample Kite Trading Limited' }),
  }),
  ttl: { AccessToken: 300, ClientCredentials: 3600, Grant: 28800, Session: 28800, Interaction: 3600, IdToken: 300 },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        audience: resource,
        accessTokenTTL: 3600,
        ...accessTo(resource),
      }),
    },
    openid4vci: {
      enabled: true,
      ack: 'experimental-01',
      nonceSecret: randomBytes(32),
      metadata: { batch_credential_issuance: { batch_size: 10 } },
      credentialConfigurationsSupported: {
        [setup.credential.configuration_id]: {
          format: 'dc+sd-jwt',
          vct: setup.credential.claims.vct,
          scope: setup.credential.scope,
          cryptographic_binding_methods_supported: ['jwk'],
          proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } },
        },
      },
      issueCredential,
    },
  },
});
provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(setup.port, '127.0.0.1');
