/** Exit code 0 while the server of this container answers. Its certificate is its own: what is asked is whether it lives. */
import { readFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';

const { api } = JSON.parse(readFileSync(`${process.env.ATTACHE_DATA}/addresses.json`, 'utf8'));
const { protocol, port } = new URL(api);
const get = protocol === 'https:' ? getTls : getPlain;
const options = { host: '127.0.0.1', port, path: '/healthz', rejectUnauthorized: false, timeout: 4_000 };

get(options, response => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
})
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
