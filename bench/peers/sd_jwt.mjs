// @sd-jwt as its own examples set it up, with the cryptography of @sd-jwt/crypto-nodejs.
import { generateKeyPairSync } from 'node:crypto';
import { load, version } from './installed.mjs';

const { SDJwtVcInstance } = await load('@sd-jwt/sd-jwt-vc');
const { ES256, digest, generateSalt } = await load('@sd-jwt/crypto-nodejs');
const hashing = { hasher: digest, hashAlg: 'sha-256' };

export const name = `@sd-jwt ${version('@sd-jwt/sd-jwt-vc')} on Node.js ${process.version.slice(1)}`;

export const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

export async function issuer(privateJwk) {
  const signer = await ES256.getSigner(privateJwk);
  return new SDJwtVcInstance({ signer, signAlg: 'ES256', saltGenerator: generateSalt, ...hashing });
}

export async function verifier(issuerJwk) {
  return new SDJwtVcInstance({
    verifier: await ES256.getVerifier(issuerJwk),
    kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
    ...hashing,
  });
}
