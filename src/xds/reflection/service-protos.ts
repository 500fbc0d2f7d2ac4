import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** A .proto file: its import path and what it imports, both as written in it. */
export interface ProtoFile {
  readonly path: string;
  readonly packageName: string;
  readonly syntax: 'proto2' | 'proto3';
  readonly imports: readonly string[];
  /** Messages, enums and services outside others, without the package. */
  readonly declares: readonly string[];
}

/** The types of the services on the gRPC port, under the names that the files give them (`snake_case`). */
export interface ServiceProtos {
  readonly root: protobuf.Root;
  readonly files: readonly ProtoFile[];
}

const V3 = 'envoy/service';
const REFLECTION = 'grpc/reflection/v1/reflection.proto';
const REFLECTION_ALPHA = 'grpc/reflection/v1alpha/reflection.proto';
const SERVICE_FILES = [
  `${V3}/discovery/v3/ads.proto`,
  `${V3}/cluster/v3/cds.proto`,
  `${V3}/endpoint/v3/eds.proto`,
  `${V3}/listener/v3/lds.proto`,
  `${V3}/route/v3/rds.proto`,
  `${V3}/secret/v3/sds.proto`,
  `${V3}/runtime/v3/rtds.proto`,
  `${V3}/extension/v3/config_discovery.proto`,
  `${V3}/status/v3/csds.proto`,
  `${V3}/metrics/v3/metrics_service.proto`,
  'health/v1/health.proto',
  REFLECTION,
  REFLECTION_ALPHA,
];
/** Options of fields and files only; nobody needs them to call a service. */
const ANNOTATIONS = /^(validate\/validate|(udpa|xds|envoy)\/annotations\/|google\/api\/(annotations|http)\b)/;

/** Reads the files of all services with what they import; takes some tenths of a second, once. */
export function loadServiceProtos(): ServiceProtos {
  const root = new protobuf.Root();
  const files = new Map<string, ProtoFile>();
  const roots = protoRoots();
  const load = (path: string): void => {
    if (files.has(path)) return;
    const file = isWellKnown(path) ? addWellKnown(root, path) : parse(root, path, readFirst(roots, path));
    files.set(path, file);
    for (const imported of file.imports) load(imported);
  };
  for (const path of SERVICE_FILES) load(path);
  root.resolveAll();
  return { root, files: [...files.values()] };
}

function parse(root: protobuf.Root, path: string, source: string): ProtoFile {
  const parsed = protobuf.parse(source, root, { keepCase: true });
  const imports = [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])];
  return {
    path,
    packageName: parsed.package ?? '',
    syntax: /^syntax = "proto2"/m.test(source) ? 'proto2' : 'proto3',
    imports: imports.filter(imported => !ANNOTATIONS.test(imported)),
    declares: [...source.matchAll(/^(?:message|enum|service) (\w+)/gm)].flatMap(match => match[1] ?? []),
  };
}

/** None of those that the services use imports another. */
function addWellKnown(root: protobuf.Root, path: string): ProtoFile {
  const nested = protobuf.common.get(path)?.nested ?? {};
  root.addJSON(nested);
  const folder = protobuf.Namespace.fromJSON('', { nested }).lookup('google.protobuf');
  const declares = folder instanceof protobuf.Namespace ? folder.nestedArray.map(({ name }) => name) : [];
  return { path, packageName: 'google.protobuf', syntax: 'proto3', imports: [], declares };
}

function isWellKnown(path: string): boolean {
  return protobuf.common.get(path) !== null;
}

/** The packages that bring Envoy's API and health's, and what they lack in `proto/`. */
function protoRoots(): readonly string[] {
  const { resolve } = createRequire(import.meta.url);
  const deps = join(dirname(resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  return [
    ...['envoy-api', 'xds', 'googleapis'].map(name => join(deps, name)),
    join(dirname(resolve('grpc-health-check/package.json')), 'proto'),
    fileURLToPath(new URL('../../../proto', import.meta.url)),
  ];
}

function readFirst(roots: readonly string[], path: string): string {
  if (path === REFLECTION_ALPHA)
    return readFirst(roots, REFLECTION).replace('grpc.reflection.v1;', 'grpc.reflection.v1alpha;');
  for (const root of roots)
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  throw new Error(`${path} is not installed`);
}
