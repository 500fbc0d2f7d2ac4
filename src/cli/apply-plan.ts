import { type ParsedDocument, parseDocument } from '../model/document.ts';
import type { Fault } from '../model/error.ts';
import { toDotted } from './print-error.ts';
import type { SourceDocument } from './read-documents.ts';
import { toPath } from './rest-client.ts';
import { toSingular } from './target.ts';

/** One document that is to be applied: what it is called, and where it goes. */
export interface PlannedDocument {
  readonly source: SourceDocument;
  readonly kind: ParsedDocument['kind'];
  /** `plugin`, `pull secret`, `node group`, `listener`, `cluster` … */
  readonly word: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly body: unknown;
}

/** A fault with its place in a file, as one line, and its code where it has one. */
export interface LocatedFault {
  readonly line: string;
  readonly code: string | undefined;
}

/**
 * Where each document goes, or every fault that can be found without a server. `namespace` is for documents that
 * name none.
 */
export function planDocuments(
  sources: readonly SourceDocument[],
  namespace: string | undefined,
): { readonly planned: readonly PlannedDocument[]; readonly faults: readonly LocatedFault[] } {
  const planned: PlannedDocument[] = [];
  const faults: LocatedFault[] = [];
  for (const source of sources) {
    const parsed = parseDocument(source.value);
    if (Array.isArray(parsed)) {
      faults.push(...parsed.map(fault => locateFault(source, fault, fault.code)));
      continue;
    }
    const { name } = parsed.document;
    const own = ownNamespace(source.value);
    const target = own ?? namespace ?? parsed.document.namespace;
    planned.push({
      source,
      kind: parsed.kind,
      word: toWord(parsed),
      namespace: target,
      name,
      path: toPath('v1', ...toCollection(parsed), target, name),
      body: own === undefined ? withNamespace(source.value, target) : source.value,
    });
  }
  return { planned, faults };
}

const WORDS = { plugin: 'plugin', pullsecret: 'pull secret', nodegroup: 'node group' } as const;

function toWord(parsed: ParsedDocument): string {
  if (parsed.kind === 'resource') return toSingular(parsed.document.type);
  return WORDS[parsed.kind];
}

function toCollection(parsed: ParsedDocument): readonly string[] {
  if (parsed.kind === 'resource') return ['resources', parsed.document.type];
  return [`${parsed.kind}s`];
}

/** `plugin.yaml:7:3: spec.pluginConf: unknown field. Did you mean pluginConfig?` */
export function locateFault(source: SourceDocument, fault: Fault, code: string | undefined): LocatedFault {
  const what = [toDotted(fault.pointer), fault.message].filter(part => part !== '').join(': ');
  return { line: `${source.locate(fault.pointer)}: ${what}${fault.hint ? `. ${fault.hint}` : ''}`, code };
}

function ownNamespace(value: unknown): string | undefined {
  const metadata = isObject(value) ? value.metadata : undefined;
  const namespace = isObject(metadata) ? metadata.namespace : undefined;
  return typeof namespace === 'string' ? namespace : undefined;
}

/** A bare Envoy resource has no metadata to write into: there the path alone says the namespace. */
function withNamespace(value: unknown, namespace: string): unknown {
  if (!isObject(value) || !isObject(value.metadata)) return value;
  return { ...value, metadata: { ...value.metadata, namespace } };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
