import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { COMPILER_FLAGS, compilePlugin, PLUGIN_SCHEMA } from '../src/cli/plugin/compile-plugin.ts';

/** A compiled plugin. */
export interface BuiltPlugin {
  /** The file that holds `bytes`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of the bytes: 64 hexadecimal digits. */
  readonly sha256: string;
}

const PLUGINS = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(PLUGINS);
const CACHE = join(ROOT, '.cache', 'plugins');

const builds = new Map<string, Promise<BuiltPlugin>>();

/**
 * Compiles the AssemblyScript plugin in `plugins/<name>`, e.g. `add-header` or `faulty/no-abi`, into
 * `.cache/plugins/<name>.wasm`. Sources that were compiled before are not compiled again. Several processes may call
 * it at once. Throws where there is no such plugin or the compiler finds a fault, with the compiler's text.
 */
export function buildPlugin(name: string): Promise<BuiltPlugin> {
  const known = builds.get(name);
  if (known !== undefined) return known;
  const build = readOrCompile(name);
  builds.set(name, build);
  build.catch(() => builds.delete(name));
  return build;
}

/** Every folder below `plugins/` that holds a plugin, as names for `buildPlugin`, sorted. */
export async function listPlugins(): Promise<readonly string[]> {
  const files = await readdir(PLUGINS, { recursive: true });
  return files
    .filter(file => file.endsWith(join('assembly', 'index.ts')) && !file.startsWith('sdk'))
    .map(file => dirname(dirname(file)).replaceAll('\\', '/'))
    .sort();
}

async function readOrCompile(name: string): Promise<BuiltPlugin> {
  const entry = join(PLUGINS, name, 'assembly', 'index.ts');
  if (!existsSync(entry)) throw new Error(`no plugin ${name}: there are ${(await listPlugins()).join(', ')}`);
  return readOrBuild(name, await hashSources(name), () => compilePlugin(join(PLUGINS, name)));
}

/**
 * The module that was built before from what `key` is a hash of, else what `build` gives. It stands in
 * `.cache/plugins/<name>.wasm` afterwards.
 */
export async function readOrBuild(
  name: string,
  key: string,
  build: () => Promise<Uint8Array>,
): Promise<BuiltPlugin> {
  const built = join(CACHE, 'by-source', `${key}.wasm`);
  if (!existsSync(built)) await writeWhole(built, await build());
  const bytes = await readFile(built);
  const path = join(CACHE, `${name}.wasm`);
  if (!existsSync(path) || !bytes.equals(await readFile(path))) await writeWhole(path, bytes);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Over everything that decides the bytes: compiler, flags, the SDK's files, the plugin's, and its schema. */
async function hashSources(name: string): Promise<string> {
  const compiler = await readFile(fileURLToPath(import.meta.resolve('assemblyscript/package.json')), 'utf8');
  const hash = createHash('sha256').update(
    JSON.stringify([JSON.parse(compiler).version, COMPILER_FLAGS, name]),
  );
  for (const folder of [join('sdk', 'assembly'), join(name, 'assembly')]) {
    for (const file of (await readdir(join(PLUGINS, folder), { recursive: true })).sort()) {
      if (file.endsWith('.ts'))
        hash.update(`\0${file}\0`).update(await readFile(join(PLUGINS, folder, file)));
    }
  }
  const schema = join(PLUGINS, name, PLUGIN_SCHEMA);
  if (existsSync(schema)) hash.update(await readFile(schema));
  return hash.digest('hex').slice(0, 32);
}

/** A reader sees the old file or all of the new one, never a part. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

/**
 * `node plugins/build.ts [--out DIR] [NAME…]`: builds those, or all, and prints size, digest and path of each; with a folder
 * they are also laid down there, as `<name>.wasm`.
 */
async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { out: { type: 'string' } },
    allowPositionals: true,
  });
  for (const name of positionals.length > 0 ? positionals : await listPlugins()) {
    const { bytes, path, sha256 } = await buildPlugin(name);
    if (values.out !== undefined) await writeWhole(join(values.out, `${name}.wasm`), bytes);
    process.stdout.write(
      `${name.padEnd(32)} ${String(bytes.length).padStart(8)}  sha256:${sha256}  ${relative(resolve(), path)}\n`,
    );
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((fault: unknown) => {
    process.stderr.write(`error: ${fault instanceof Error ? fault.message : String(fault)}\n`);
    process.exitCode = 1;
  });
}
