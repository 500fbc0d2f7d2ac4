import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What runs in the child, by the name of its file beside this one. */
export type ChildEntry = 'trial-entry' | 'stream-entry';

/** Types are taken out once and not in every child: that is most of what starting one took. */
const known = new Map<ChildEntry, Promise<Uint8Array>>();

const IMPORT = /^(?:im|ex)port .*?from '(\.[^']+)';$/gms;

/** What a child is sent first, all its modules without types, as a frame: it reads no file, and has no right to. */
export function readChildCode(entry: ChildEntry): Promise<Uint8Array> {
  const before = known.get(entry);
  if (before !== undefined) return before;
  const code = packCode(entry);
  known.set(entry, code);
  code.catch(() => known.delete(entry));
  return code;
}

const OWN = import.meta.url;
/** TypeScript as it is here, JavaScript in the published package. */
const EXTENSION = OWN.endsWith('.ts') ? 'ts' : 'js';
const MOST_BYTES = 16 * 2 ** 20;

/** What takes types out stays in memory for good, 20 MB of it: a process that ends has it. */
async function packCode(entry: ChildEntry): Promise<Uint8Array> {
  if (EXTENSION === 'js') return packHere(entry);
  const code = `(await import(${JSON.stringify(OWN)})).writeHere(${JSON.stringify(entry)})`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code];
  const { stdout } = await run(process.execPath, flags, { encoding: 'buffer', maxBuffer: MOST_BYTES });
  return stdout;
}

/** What that process does. */
export async function writeHere(entry: ChildEntry): Promise<void> {
  process.stdout.write(await packHere(entry));
}

/** The same in this process. */
export async function packHere(entry: ChildEntry): Promise<Uint8Array> {
  const first = new URL(`./${entry}.${EXTENSION}`, OWN).href;
  const sources: Record<string, string> = {};
  const open = [first];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (sources[url] !== undefined) continue;
    const text = await readFile(new URL(url), 'utf8');
    const source = url.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
    sources[url] = source;
    for (const [, from = ''] of source.matchAll(IMPORT)) open.push(new URL(from, url).href);
  }
  return toFrame({ entry: first, sources });
}

/** Four bytes that say how many follow, and JSON. */
export function toFrame(value: object): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  return Buffer.concat([toSize(text), text]);
}

/** What stands before the bytes of a frame. */
export function toSize({ length }: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(length);
  return size;
}

/** What `node --input-type=module --eval` is to run: takes the code from stdin; what follows there is the entry's. */
export const CHILD_LOADER = `
import { readSync } from 'node:fs';
import { registerHooks } from 'node:module';
function read(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const count = readSync(0, bytes, at, size - at, null);
    if (count === 0) throw new Error('the code of this process is cut');
    at += count;
  }
  return bytes;
}
const { entry, sources } = JSON.parse(read(read(4).readUInt32LE(0)).toString());
registerHooks({
  resolve(specifier, context, next) {
    const url = URL.canParse(specifier, context.parentURL) ? new URL(specifier, context.parentURL).href : specifier;
    return url in sources ? { url, format: 'module', shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    return url in sources ? { format: 'module', source: sources[url], shortCircuit: true } : next(url, context);
  },
});
await import(entry);
`;
