import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';
import { toElements } from './print-error.ts';
import { readStdin } from './read-stdin.ts';

/** One document of a file, and where its parts stand. */
export interface SourceDocument {
  /** As the user named it; `-` is `<stdin>`. */
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of what an RFC 6901 pointer names, or of the nearest thing around it. */
  locate(pointer: string): string;
}

/**
 * The documents of files, of the YAML and JSON files of folders, and of `-`. Empty documents are left out.
 * Throws CliError `bad-file` with all faults of all files together.
 */
export function readDocuments(paths: readonly string[]): readonly SourceDocument[] {
  const faults: string[] = [];
  const documents = paths.flatMap(listFiles).flatMap(path => {
    const file = path === '-' ? '<stdin>' : path;
    try {
      return parseDocuments(path === '-' ? readStdin() : readFileSync(path, 'utf8'), file, faults);
    } catch (error) {
      faults.push(`${file}: ${toMessage(error)}`);
      return [];
    }
  });
  if (faults.length > 0) throw new CliError('bad-file', faults.join('\n'));
  return documents;
}

/** The same of a text; what cannot be parsed goes to `faults`. */
export function parseDocuments(text: string, file: string, faults: string[]): readonly SourceDocument[] {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  return documents.flatMap(document => {
    if (document.errors.length > 0) {
      faults.push(...document.errors.map(error => `${at(error.pos[0])}: ${error.message}`));
      return [];
    }
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
      return [];
    return [{ file, value: document.toJS(), locate: pointer => at(offsetOf(document, toElements(pointer))) }];
  });
}

function listFiles(path: string): readonly string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
  return readdirSync(path)
    .filter(name => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map(name => join(path, name));
}

/** A map's entry is where its key stands, a list's item where it begins; the nearest ancestor for what is missing. */
function offsetOf(document: Document, elements: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const element of elements) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === element);
      if (pair === undefined) break;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(element)];
      if (item === undefined) break;
      offset = startOf(item);
      node = item;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
