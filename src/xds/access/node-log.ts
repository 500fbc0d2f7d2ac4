import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { toMessage } from '../../model/error.ts';
import type { LogTail, NodeLogReader } from '../../model/node-access.ts';
import { NodeAccessError } from '../node-access-error.ts';
import { findPluginLines } from './plugin-lines.ts';

/** So much of the end of a log is looked at: a thousand lines and more. */
const LOOKED_AT_BYTES = 256 * 1024;

/**
 * Reads logs that Envoys write to files below one folder (`--log-path`), and nothing else. `directory` undefined: none is
 * read. An Envoy gives its log to nobody over the network.
 */
export function createNodeLogReader(directory: string | undefined): NodeLogReader {
  return {
    check: file => toInner(directory, file).inner,
    async tail(file, count) {
      const { root, inner } = toInner(directory, file);
      return readTail(await toReal(root, inner), inner, count);
    },
  };
}

/** The part of a path below the folder. */
function toInner(directory: string | undefined, file: string): { root: string; inner: string } {
  if (directory === undefined)
    throw refuse('this server may read no logs of nodes', 'Start it with --node-log-directory DIR');
  const inner = isAbsolute(file) ? relative(directory, file) : normalize(file);
  if (
    inner === '' ||
    inner === '.' ||
    isAbsolute(inner) ||
    inner.split(sep)[0] === '..' ||
    inner.includes('\0')
  )
    throw refuse(`${file} is not below ${directory}`, 'Name a file below it');
  return { root: directory, inner };
}

/** Links may not lead out of the folder. */
async function toReal(root: string, inner: string): Promise<string> {
  try {
    const [folder, path] = await Promise.all([realpath(root), realpath(join(root, inner))]);
    if (path.startsWith(folder + sep)) return path;
  } catch (error) {
    throw unreadable(inner, error);
  }
  throw refuse(`${inner} leads out of ${root}`, 'Name the file itself');
}

async function readTail(path: string, inner: string, count: number): Promise<LogTail> {
  try {
    await using file = await open(path, 'r');
    const status = await file.stat();
    if (!status.isFile()) throw new Error('it is not a plain file');
    const from = Math.max(0, status.size - LOOKED_AT_BYTES);
    const bytes = Buffer.alloc(status.size - from);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    const text = bytes.subarray(0, bytesRead).toString('utf8');
    // The first line of a part is most likely none.
    const whole = from === 0 ? text : text.slice(text.indexOf('\n') + 1);
    const lines = findPluginLines(whole).slice(-count);
    const writtenAt = Math.round(status.mtimeMs);
    return { lines, writtenAt, ...(from === 0 ? {} : { lookedAtBytes: bytesRead }) };
  } catch (error) {
    throw unreadable(inner, error);
  }
}

function refuse(what: string, hint: string): NodeAccessError {
  return new NodeAccessError('node-log-refused', what, { hint });
}

function unreadable(inner: string, cause: unknown): NodeAccessError {
  return new NodeAccessError('node-log-unreadable', `${inner}: ${toMessage(cause)}`, {
    cause,
    hint: 'Is it the --log-path of the Envoy, on the machine of the server, and readable for it?',
  });
}
