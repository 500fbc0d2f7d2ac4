import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toMessage } from '../model/error.ts';
import type { MovedListener } from './bootstrap-move.ts';
import { CliError } from './cli-error.ts';

/** A listener can hold private keys. */
const OWN_EYES = 0o600;

/**
 * Writes the documents into a folder, which is made where it is not there; answers the paths. Nothing is written where one of them is
 * there already: CliError `bad-file`.
 */
export function writeMoved(folder: string, moved: readonly MovedListener[]): readonly string[] {
  const paths = moved.map(one => join(folder, one.file));
  const present = paths.find(path => existsSync(path));
  if (present !== undefined)
    throw new CliError('bad-file', `${present} is there already, and is not overwritten`, {
      hint: 'Name another folder: --move-listeners DIR',
    });
  try {
    mkdirSync(folder, { recursive: true });
    moved.forEach((one, i) => {
      writeFileSync(paths[i] ?? '', one.text, { flag: 'wx', mode: OWN_EYES });
    });
  } catch (cause) {
    throw new CliError('bad-file', `${folder}: ${toMessage(cause)}`, { cause });
  }
  return paths;
}

/** What to do with them, as it can be pasted. */
export function describeMoved(folder: string, paths: readonly string[], isLabelled: boolean): string {
  return [
    `wrote   ${paths.join(', ')}`,
    ...(isLabelled
      ? []
      : [
          'note    every node of the namespace gets these listeners: --label key=value keeps them to nodes that have it',
        ]),
    `next    attache diff -f ${folder}      # which nodes get them`,
    `        attache apply -f ${folder}`,
    '        envoy -c managed.yaml      # the file that this was written to, in place of the old one',
  ].join('\n');
}
