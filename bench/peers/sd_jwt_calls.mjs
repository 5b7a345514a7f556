// Library calls of @sd-jwt, awaited one after another. BENCH_SETUP (JSON) says what is issued and
// verified and how often; prints CPU (all threads) and time of every call in microseconds.
import { issuer, name, newKey, verifier } from './sd_jwt.mjs';

if (process.argv[2] === '--check') {
  console.log(name);
  process.exit(0);
}

const setup = JSON.parse(process.env.BENCH_SETUP);
const WARM = 2;

async function measure(call) {
  for (let done = 0; done < WARM * setup.repeats; done += 1) await call();
  const cpu = [];
  const wall = [];
  for (let done = 0; done < setup.repeats; done += 1) {
    const used = process.cpuUsage();
    const begun = performance.now();
    await call();
    wall.push((performance.now() - begun) * 1000);
    const { user, system } = process.cpuUsage(used);
    cpu.push(user + system);
  }
  return { cpu, wall };
}

const issuing = await issuer(newKey());
const verifying = await verifier(setup.issuer_jwk);
const frame = { _sd: setup.hidden };
const cnf = { jwk: setup.holder_jwk };

console.log(JSON.stringify({
  sd_jwt_issue: await measure(() => issuing.issue({ ...setup.claims, cnf }, frame)),
  sd_jwt_verify_kb: await measure(() => verifying.verify(setup.presentation, { keyBindingNonce: setup.nonce })),
}));
