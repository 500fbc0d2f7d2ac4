/**
 * The child of registry-kill.test.ts: pushes, moves tags and deletes for ever through the registry of a directory,
 * and prints each change once it was answered. Arguments: module directory, first number.
 */
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '../../src/model/ports.ts';
import { createBuiltInRegistry } from '../../src/module/built-in-registry.ts';
import { anybody, NO_AUDIT, openTestCache, random, systemClock } from '../module/actors.ts';
import { callRegistry, pushImage } from '../module/registry-client.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const cache = await openTestCache(directory);
const registry = createBuiltInRegistry({
  cache,
  authorize: anybody,
  audit: NO_AUDIT,
  clock: systemClock,
  random,
  log: silentLog,
});
const server = createServer((request, response) => void registry.handle(request, response));
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const call = callRegistry(`127.0.0.1:${(server.address() as AddressInfo).port}`);

writeSync(1, 'open\n');
for (let n = Number(first); ; n += 1) {
  const { digest } = await pushImage(call, 'a', `t${n % 7}`, Buffer.from(`layer ${n % 11}`));
  writeSync(1, `put t${n % 7} ${digest}\n`);
  if (n % 3 !== 0) continue;
  writeSync(1, `delete ${digest}\n`);
  await call('DELETE', `/v2/a/manifests/${digest}`);
  writeSync(1, `deleted ${digest}\n`);
}
