import { X509Certificate } from 'node:crypto';
import type { DocumentFault } from './document-error.ts';
import { DocumentPart } from './document-part.ts';
import { toMessage } from './error.ts';
import { parseModuleReference } from './module-reference.ts';
import type { RegistryEntry, RegistrySettings } from './registry-settings.ts';

/** Reads the file that certificates are in; throws where it cannot. */
export type ReadCaFile = (path: string) => string;

const MAX = { entries: 200, mirrors: 10, text: 512 };
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads the setting `registries`: `[{prefix, mirrors, insecure, ca}]`; `ca` is the path of a PEM file. Every fault in
 * it, each with its JSON pointer.
 */
export function parseRegistrySettings(
  document: unknown,
  readCaFile: ReadCaFile,
): RegistrySettings | DocumentFault[] {
  const root = new DocumentPart(document);
  const entries: RegistryEntry[] = [];
  for (const item of root.items(MAX.entries)) {
    const entry = readEntry(item, readCaFile);
    if (entry === undefined) continue;
    if (entries.some(({ prefix }) => prefix === entry.prefix))
      item.at('prefix', entry.prefix).fault('contradiction', `${entry.prefix} is there twice`);
    entries.push(entry);
  }
  return root.faults.length > 0 ? root.faults : entries;
}

function readEntry(item: DocumentPart, readCaFile: ReadCaFile): RegistryEntry | undefined {
  const fields = item.fields(['prefix', 'mirrors', 'insecure', 'ca']);
  if (!fields.has('prefix')) item.missing('prefix');
  const prefix = readPlace(fields.get('prefix'));
  const mirrors = fields.get('mirrors')?.items(MAX.mirrors) ?? [];
  const insecure = fields.get('insecure');
  if (insecure !== undefined && typeof insecure.value !== 'boolean')
    insecure.fault('wrong-type', 'expected true or false');
  const ca = readCa(fields.get('ca'), readCaFile);
  for (const field of ['insecure', 'ca'])
    if (prefix?.includes('/'))
      fields
        .get(field)
        ?.fault('contradiction', 'is of a whole host', `Write it with prefix: ${prefix.split('/')[0]}.`);
  const places = mirrors.map(readPlace).filter(place => place !== undefined);
  for (const [i, place] of places.entries())
    if (places.indexOf(place) < i) mirrors[i]?.fault('contradiction', `${place} is there twice`);
  if (prefix === undefined) return undefined;
  return {
    prefix,
    mirrors: places,
    insecure: insecure?.value === true,
    ...(ca === undefined ? {} : { ca }),
  };
}

/** `HOST[:PORT][/PATH]`, spelled as references are. */
function readPlace(part: DocumentPart | undefined): string | undefined {
  const text = part?.text({ min: 1, max: MAX.text });
  if (part === undefined || text === undefined) return undefined;
  const wanted = 'HOST[:PORT], or HOST[:PORT]/PATH';
  if (!/^[^/]*[.:]|^localhost(\/|$)/.test(text) || text.includes('://'))
    return part.fault('out-of-bounds', `${JSON.stringify(text)} is not ${wanted}`);
  try {
    // A repository behind it makes any host with or without a path a reference.
    const reference = parseModuleReference(`${text}/x`);
    if (reference.scheme !== 'oci') throw new Error('no registry');
    const path = reference.repository.replace(/\/?x$/, '');
    const host = reference.host.toLowerCase();
    return path === '' ? host : `${host}/${path}`;
  } catch {
    return part.fault('out-of-bounds', `${JSON.stringify(text)} is not ${wanted}`);
  }
}

function readCa(part: DocumentPart | undefined, readCaFile: ReadCaFile): string | undefined {
  const path = part?.text({ min: 1, max: MAX.text });
  if (part === undefined || path === undefined) return undefined;
  try {
    const found = readCaFile(path).match(PEM) ?? [];
    if (found.length === 0) return part.fault('out-of-bounds', `${path} holds no PEM certificate`);
    for (const pem of found) new X509Certificate(pem);
    return found.join('\n');
  } catch (error) {
    return part.fault('out-of-bounds', `${path}: ${toMessage(error)}`);
  }
}
