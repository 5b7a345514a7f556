// Library calls of @sd-jwt. BENCH_SETUP (JSON) says what is issued and verified. Each line of standard
// input is `issue` or `verify` and how often; the answer is one line with CPU (all threads) and time
// of every call in microseconds, awaited one after another.
import { createInterface } from 'node:readline';
import { issuer, name, newKey, verifier } from './sd_jwt.mjs';

if (process.argv[2] === '--check') {
  console.log(name);
  process.exit(0);
}

const setup = JSON.parse(process.env.BENCH_SETUP);
const issuing = await issuer(newKey());
const verifying = await verifier(setup.issuer_jwk);
const frame = { _sd: setup.hidden };
const cnf = { jwk: setup.holder_jwk };
const calls = {
  issue: () => issuing.issue({ ...setup.claims, cnf }, frame),
  verify: () => verifying.verify(setup.presentation, { keyBindingNonce: setup.nonce }),
};

async function measure(call, count) {
  const cpu = [];
  const wall = [];
  for (let done = 0; done < count; done += 1) {
    const used = process.cpuUsage();
    const begun = performance.now();
    await call();
    wall.push((performance.now() - begun) * 1000);
    const { user, system } = process.cpuUsage(used);
    cpu.push(user + system);
  }
  return { cpu, wall };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [which, count] = line.split(' ');
  console.log(JSON.stringify(await measure(calls[which], Number(count))));
}
