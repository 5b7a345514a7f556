// oidc-provider as the harness uses it: ES256, private_key_jwt, PAR, DPoP, introspection.
// `--check` prints its version, or fails where it is not installed. Else BENCH_SETUP (JSON) says all.
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// import() knows nothing of NODE_PATH, require.resolve does.
const entry = createRequire(import.meta.url).resolve('oidc-provider');

function version() {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(join(folder, 'package.json')));
      if (name === 'oidc-provider') return found;
    } catch (error) {
      if (folder === dirname(folder)) throw error;
    }
  }
}

if (process.argv[2] === '--check') {
  console.log(`${version()} on Node.js ${process.version.slice(1)}`);
  process.exit(0);
}

const { default: Provider } = await import(pathToFileURL(entry));
const setup = JSON.parse(process.env.BENCH_SETUP);
const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

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
        scope: 'orders.read',
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: resource === setup.opaque_resource ? 'opaque' : 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(setup.port, '127.0.0.1');
