import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';

/** The examples, the SDK and the template lie beside the program's code, as they are. */
const PLUGINS = fileURLToPath(new URL('../../../plugins', import.meta.url));
const TEMPLATE = join(PLUGINS, 'template');
const SDK = join(PLUGINS, 'sdk');
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));

/** As metadata.name takes it, and as an OCI repository does. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Under another name in the template, which is itself in a repository. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/**
 * Writes the folder of a new plugin, named as its last part: source, schema, requests, and a copy of the SDK. Gives the files that
 * are the author's. Throws CliError `bad-usage` for a name that none can have, `bad-file` where something is there already.
 */
export function writeNewPlugin(folder: string): readonly string[] {
  const name = basename(resolve(folder));
  if (!NAME.test(name))
    throw new CliError(
      'bad-usage',
      `${name} is no name for a plugin: small letters, digits and hyphens, at most 63`,
    );
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new CliError('bad-file', `${folder} is there already, and not empty`, {
      hint: 'Choose another name.',
    });
  try {
    const files = listFiles(TEMPLATE);
    for (const file of files) write(join(folder, rename(file)), fill(file, name));
    cpSync(SDK, join(folder, 'sdk'), { recursive: true });
    return files.map(rename).sort();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('bad-file', `${folder}: ${toMessage(cause)}`, { cause });
  }
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(TEMPLATE.length + 1));
}

function rename(file: string): string {
  return RENAMED[file] ?? file;
}

function fill(file: string, name: string): string {
  return readFileSync(join(TEMPLATE, file), 'utf8')
    .replaceAll('NAME', name)
    .replaceAll('ASSEMBLYSCRIPT', readCompilerVersion())
    .replaceAll('../../sdk/', '../sdk/');
}

/** The one with which the examples are built. */
function readCompilerVersion(): string {
  const { devDependencies } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  return devDependencies.assemblyscript ?? 'latest';
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
