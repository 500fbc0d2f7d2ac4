import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where .proto sources are found; paths are import paths such as `envoy/config/core/v3/base.proto`. */
export interface ProtoFiles {
  /** The text of a file, or undefined when there is none. */
  read(path: string): string | undefined;
  /** Import paths of the files in a package's folder. */
  list(folder: string): readonly string[];
}

/** The folders of the npm package that brings Envoy's API, and our own overlays in `proto/`. */
export function installedProtoFiles(): ProtoFiles {
  const require = createRequire(import.meta.url);
  const deps = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  const roots = ['envoy-api', 'xds', 'googleapis'].map(name => join(deps, name));
  return protoFilesIn([...roots, fileURLToPath(new URL('../../proto', import.meta.url))]);
}

/** Files below several roots; the first root that has a file wins. */
export function protoFilesIn(roots: readonly string[]): ProtoFiles {
  const texts = new Map<string, string | undefined>();
  const readFirst = (path: string): string | undefined => {
    const root = roots.find(candidate => existsSync(join(candidate, path)));
    return root === undefined ? undefined : readFileSync(join(root, path), 'utf8');
  };
  return {
    read(path) {
      if (!texts.has(path)) texts.set(path, readFirst(path));
      return texts.get(path);
    },
    list(folder) {
      const names = roots
        .filter(root => existsSync(join(root, folder)))
        .flatMap(root => readdirSync(join(root, folder)))
        .filter(name => name.endsWith('.proto'));
      return [...new Set(names)].sort().map(name => `${folder}/${name}`);
    },
  };
}
