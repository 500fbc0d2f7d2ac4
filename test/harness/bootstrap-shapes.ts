import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BootstrapOptions } from '../../src/cli/bootstrap-document.ts';

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
};
