/** compose.yaml, the Dockerfile and deploy/ against the code and each other: what containers are told is what is read. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SETTINGS } from '../src/settings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
}
const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');
/** `ENV NAME=value \` over several lines. */
const imageEnv = Object.fromEntries(
  [...dockerfile.matchAll(/^(?:ENV| {3}) ([A-Z_]+)=(\S*)/gm)].map(([, name, value]) => [
    name ?? '',
    value ?? '',
  ]),
);

test('the control plane speaks TLS to Envoys that prove who they are, and every setting of it exists', () => {
  const env = { ...imageEnv, ...compose.services['control-plane']?.environment };
  const known = SETTINGS.map(({ name }) => `ATTACHE_${name.toUpperCase().replaceAll('-', '_')}`);
  const forCommands = ['ATTACHE_SERVER', 'ATTACHE_CA_FILE', 'ATTACHE_TOKEN_FILE'];
  assert.deepEqual(
    Object.keys(env).filter(
      name => name.startsWith('ATTACHE_') && !known.includes(name) && !forCommands.includes(name),
    ),
    [],
  );
  assert.equal(env.ATTACHE_NODE_AUTH, 'mtls');
  assert.equal(env.ATTACHE_ALLOW_PLAINTEXT, undefined);
  assert.equal(env.ATTACHE_XDS_LISTEN, '0.0.0.0:18000');
});

test('every container is read-only, without capabilities, and nobody in particular', () => {
  for (const [name, service] of services) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    if (service.image !== 'attache') assert.equal(service.user, '101:101', name);
    else if (name !== 'setup') assert.equal(service.user, undefined, 'the user of the image');
  }
  assert.match(dockerfile, /^USER 1000:1000$/m);
});

test('nothing is published beyond this machine', () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports);
  assert.equal(ports.length, 4);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
});

test('no container but the one that makes them sees the key of the CA, or the certificate of another', () => {
  const mounts = services.flatMap(([name, { volumes = [] }]) =>
    volumes.map(volume => ({ name, volume: volume.split(':')[0] ?? '' })),
  );
  const who = (volume: string) => mounts.filter(one => one.volume === volume).map(({ name }) => name);
  assert.deepEqual(who('ca'), ['setup']);
  for (const envoy of ['edge-1', 'edge-2', 'edge-3']) assert.deepEqual(who(envoy), ['setup', envoy]);
  const named = mounts.map(({ volume }) => volume).filter(volume => !volume.startsWith('.'));
  assert.deepEqual([...new Set(named)].sort(), Object.keys(compose.volumes).sort());
});

test('every file that is mounted or copied exists', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) =>
    volumes.filter(volume => volume.startsWith('./')).map(volume => volume.split(':')[0] ?? ''),
  );
  const made = ['node_modules', 'dist'];
  const copied = [...dockerfile.matchAll(/^COPY (?:--from=build )?(.+) \S+$/gm)]
    .flatMap(([, sources = '']) => sources.split(' '))
    .map(path => path.replace(/^\/src\//, ''))
    .filter(path => !made.includes(path));
  assert.ok(mounted.length > 3 && copied.length > 5);
  assert.deepEqual(
    [...mounted, ...copied].filter(path => !existsSync(`${root}/${path}`)),
    [],
  );
});
