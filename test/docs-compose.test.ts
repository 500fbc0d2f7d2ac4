/** docker-compose.yml and deploy/compose against the code: what containers are told is what Attaché reads. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { toBootstrap } from '../src/cli/bootstrap-document.ts';
import { readConfig } from '../src/config.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}
const { services } = parse(read('docker-compose.yml')) as { services: Record<string, Service> };

test('the control plane accepts the settings of its container', () => {
  const config = readConfig({ data: '/data' }, services['control-plane']?.environment ?? {});
  assert.equal(config.advertiseHost, 'control-plane');
  assert.deepEqual(config.insecureRegistries, ['registry:5000']);
});

test('the bootstrap is what attache bootstrap prints', () => {
  const host = 'control-plane';
  const expected = toBootstrap('compose-1', {
    id: 'compose-1',
    cluster: undefined,
    namespace: undefined,
    labels: {},
    adminPort: undefined,
    leanStats: false,
    xds: { host, port: 18000 },
    modules: { host, port: 18001 },
    layout: 'chain',
    plugins: [],
    unanswered: 'deny',
    runtimes: [],
    proof: { tls: undefined, token: undefined },
  });
  assert.deepEqual(parse(read('deploy/compose/envoy.yaml')), parse(expected));
});

test('every file that is mounted exists', () => {
  const paths = Object.values(services).flatMap(({ volumes = [] }) =>
    volumes.filter(volume => volume.startsWith('./')).map(volume => volume.split(':')[0] ?? ''),
  );
  assert.ok(paths.length > 0);
  assert.deepEqual(
    paths.filter(path => !existsSync(`${root}/${path}`)),
    [],
  );
});
