import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPlugin } from '../../plugins/build.ts';
import type { BootstrapOptions } from '../../src/cli/bootstrap-document.ts';
import { NO_PROOF } from '../../src/cli/bootstrap-proof.ts';

const folder = fileURLToPath(new URL('../fixtures/bootstraps/', import.meta.url));

/** Bootstraps as people have them, written for the tests in the manner of public ones; `version-2.yaml` is to be refused. */
export const SHAPES: readonly string[] = [
  'edge.yaml',
  'tls-sni.yaml',
  'listeners.yaml',
  'sinks.yaml',
  'anchors.yaml',
  'sidecar.json',
  'files.yaml',
  'other-ads.yaml',
  'taken.yaml',
  'own-wasm.yaml',
  'http3.yaml',
];

export function readShape(name: string): string {
  return readFileSync(folder + name, 'utf8');
}

/** Beside the shapes, for golden files. */
export function toShapePath(name: string): string {
  return folder + name;
}

/** As `attache bootstrap --from FILE --id laptop` has them. */
export const FROM_OPTIONS: BootstrapOptions = {
  id: 'laptop',
  cluster: undefined,
  namespace: undefined,
  labels: {},
  adminPort: undefined,
  leanStats: false,
  xds: { host: '127.0.0.1', port: 18000 },
  modules: { host: '127.0.0.1', port: 18001 },
  layout: 'chain',
  plugins: [],
  unanswered: 'deny',
  runtimes: [],
  proof: NO_PROOF,
};

/** What a shape finds in the folder that stands for /etc/envoy. */
export interface ShapeWorld {
  readonly folder: string;
  /** A shape with this folder, and with ports: those of the file and what they are to be. */
  read(name: string, ports?: Readonly<Record<number, number>>): string;
}

const TYPE = 'type.googleapis.com/envoy';
const CERTIFICATES = fileURLToPath(new URL('../fixtures/tls/loopback', import.meta.url));

/** Lays down certificates, the files that deliver things, and a module. */
export async function layShapeWorld(folder: string): Promise<ShapeWorld> {
  for (const name of ['tls', 'sds']) mkdirSync(join(folder, name), { recursive: true });
  const write = (name: string, resources: readonly object[]) =>
    writeFileSync(join(folder, name), JSON.stringify({ version_info: '1', resources }));
  copyFileSync(`${CERTIFICATES}.pem`, join(folder, 'tls', 'server.pem'));
  copyFileSync(`${CERTIFICATES}.key`, join(folder, 'tls', 'server.key'));
  const [certificate_chain, private_key] = ['pem', 'key'].map(end => ({
    filename: join(folder, 'tls', `server.${end}`),
  }));
  const secret = `${TYPE}.extensions.transport_sockets.tls.v3.Secret`;
  write('sds/server.yaml', [
    { '@type': secret, name: 'server', tls_certificate: { certificate_chain, private_key } },
  ]);
  write('lds.yaml', []);
  write('cds.yaml', []);
  write('ecds.yaml', [
    {
      '@type': `${TYPE}.config.core.v3.TypedExtensionConfig`,
      name: 'from-a-file',
      typed_config: { '@type': `${TYPE}.extensions.filters.http.rbac.v3.RBAC` },
    },
  ]);
  writeFileSync(join(folder, 'my_plugin.wasm'), (await buildPlugin('add-header')).bytes);
  return {
    folder,
    read: (name, ports = {}) =>
      Object.entries(ports).reduce(
        (text, [from, to]) => text.replaceAll(new RegExp(`(port_?value"?: )${from}\\b`, 'gi'), `$1${to}`),
        readShape(name).replaceAll('/etc/envoy', folder),
      ),
  };
}
