import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MAX_CONFIG_SCHEMA_BYTES, withConfigSchema } from '../../model/config-schema.ts';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';

/** The source of a plugin, in a plugin's folder. */
export const PLUGIN_ENTRY = join('assembly', 'index.ts');
/** The JSON schema of its configuration, beside it. */
export const PLUGIN_SCHEMA = 'config.schema.json';
/** How every plugin is compiled; `--use abort` follows from where the SDK is. */
export const COMPILER_FLAGS: readonly string[] = ['-Oz', '--runtime', 'incremental'];

type Compiler = (
  args: string[],
  options: { writeFile: (name: string, contents: unknown) => void },
) => Promise<Ended>;
interface Ended {
  readonly error: Error | null;
  readonly stderr: { toString(): string };
}

/**
 * Compiles the AssemblyScript plugin in a folder and puts its schema into the module. The SDK is the folder `sdk` in it or in
 * a folder above. Throws CliError `build-failed` with the compiler's text, `compiler-missing`, or `bad-file` for the schema.
 */
export async function compilePlugin(folder: string): Promise<Uint8Array> {
  const root = resolve(folder);
  const entry = join(root, PLUGIN_ENTRY);
  if (!existsSync(entry))
    throw new CliError('bad-file', `${folder} holds no ${PLUGIN_ENTRY}`, {
      hint: 'Name the folder of a plugin, or begin one: attache new NAME.',
    });
  const schema = readSchema(root, folder);
  const base = findSdk(root) ?? root;
  const sdk = join(base, 'sdk', 'assembly', 'log.ts');
  // AssemblyScript's own abort is an import that no Envoy knows.
  const abort = existsSync(sdk) ? ['--use', 'abort=sdk/assembly/log/abort'] : [];
  const source = relative(base, entry).replaceAll('\\', '/');
  const compile = await loadCompiler(root);
  let output: Uint8Array | undefined;
  const { error, stderr } = await compile(
    [source, ...COMPILER_FLAGS, ...abort, '--baseDir', base, '--outFile', 'out.wasm'],
    {
      writeFile: (_, contents) => {
        if (contents instanceof Uint8Array) output = contents;
      },
    },
  );
  if (error !== null || output === undefined)
    throw new CliError(
      'build-failed',
      `${entry} does not compile\n${stderr.toString().trim() || (error?.message ?? 'no output')}`,
      { hint: 'Correct what the compiler names, and build again.' },
    );
  return schema === undefined ? output : withConfigSchema(output, schema);
}

/** The text as it is, white space aside; undefined where there is none. */
function readSchema(root: string, folder: string): string | undefined {
  const path = join(root, PLUGIN_SCHEMA);
  if (!existsSync(path)) return undefined;
  const named = join(folder, PLUGIN_SCHEMA);
  const schema = parse(readFileSync(path, 'utf8'), named);
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema)))
    throw new CliError('bad-file', `${named}: a schema is an object`);
  const text = JSON.stringify(schema);
  if (Buffer.byteLength(text) > MAX_CONFIG_SCHEMA_BYTES)
    throw new CliError('bad-file', `${named}: a schema has ${MAX_CONFIG_SCHEMA_BYTES} bytes at most`);
  return text;
}

function parse(text: string, named: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError('bad-file', `${named}: ${toMessage(cause)}`, { cause });
  }
}

/** The folder that holds `sdk`, the nearest one upwards. */
function findSdk(root: string): string | undefined {
  if (existsSync(join(root, 'sdk', 'assembly', 'abi.ts'))) return root;
  const above = dirname(root);
  return above === root ? undefined : findSdk(above);
}

/** The plugin's own compiler where it has one, else the one beside us. Loaded late: it is 100 MB. */
async function loadCompiler(root: string): Promise<Compiler> {
  for (const from of [join(root, 'package.json'), import.meta.filename]) {
    const path = findCompiler(from);
    if (path === undefined) continue;
    const { default: asc } = (await import(pathToFileURL(path).href)) as { default: { main: Compiler } };
    return asc.main;
  }
  throw new CliError('compiler-missing', 'the AssemblyScript compiler is not installed', {
    hint: `Run in ${root}: npm install ${existsSync(join(root, 'package.json')) ? '' : '--no-save assemblyscript'}`.trimEnd(),
  });
}

function findCompiler(from: string): string | undefined {
  try {
    return createRequire(from).resolve('assemblyscript/dist/asc.js');
  } catch {
    return undefined;
  }
}
