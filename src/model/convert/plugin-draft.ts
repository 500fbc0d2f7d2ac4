import { parsePluginDocument, toPluginDocumentSpec } from '../plugin-document.ts';
import type { ConvertedPlugin } from './conversion.ts';
import { SourcePart } from './source-part.ts';

/** A plugin as a converter puts it together. */
export interface PluginDraft {
  readonly name: string;
  /** Undefined: the source names none. */
  readonly namespace: string | undefined;
  /** Fields of the spec with their values, and where in the source they stand. */
  readonly fields: Readonly<Record<string, DraftField | undefined>>;
  /** The part that stands for all of it: where a fault is told that no field has. */
  readonly part: SourcePart;
}

export interface DraftField {
  readonly value: unknown;
  readonly part: SourcePart;
}

/** A field that is left out where its part is. */
export function toField(part: SourcePart | undefined, value: unknown = part?.value): DraftField | undefined {
  return part === undefined || value === undefined ? undefined : { value, part };
}

/**
 * The document of a draft, checked as `apply` will check it. What is wrong with it becomes errors that point into the
 * source.
 */
export function finishPlugin(draft: PluginDraft): ConvertedPlugin | undefined {
  const { namespace, name, part } = draft;
  const spec = Object.fromEntries(
    Object.entries(draft.fields).flatMap(([field, one]) => (one === undefined ? [] : [[field, one.value]])),
  );
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const parsed = parsePluginDocument({ apiVersion: 'attache/v1', kind: 'Plugin', metadata, spec });
  if (Array.isArray(parsed)) {
    for (const { code, pointer, message, hint } of parsed)
      toSource(draft, pointer).refuse(code, message, hint);
    return undefined;
  }
  warnOfSurroundings(draft, spec);
  const document = {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata,
    spec: toPluginDocumentSpec(parsed),
  } as const;
  return { document, pointer: part.pointer };
}

/** Where in the source stands what a pointer into the plugin document means. */
function toSource({ fields, part }: PluginDraft, pointer: string): SourcePart {
  const [, field = '', rest = ''] = /^\/spec\/([^/]+)(.*)$/s.exec(pointer) ?? [];
  const found = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (found === undefined) return part;
  // Where the value is the source's own, what is inside it has the same path in both.
  const inside = found.value === found.part.value ? rest : '';
  return new SourcePart(undefined, found.part.pointer + inside, found.part.notes);
}

/** What a plain Envoy and its control plane have to have, and a mesh brought by itself. */
function warnOfSurroundings({ fields }: PluginDraft, spec: Readonly<Record<string, unknown>>): void {
  const { match, imagePullSecret, vmConfig, url } = fields;
  if (JSON.stringify(spec.match ?? null).includes('"SERVER"'))
    match?.part.warn(
      'reaches only listeners that say they are for incoming traffic',
      'On a plain Envoy write traffic_direction: INBOUND into the listener, or leave match out.',
    );
  if (imagePullSecret !== undefined)
    imagePullSecret.part.note(
      'the credentials are not in this document',
      'Apply the Secret too: attache apply -f takes it as Kubernetes has it.',
    );
  if (JSON.stringify(spec.vmConfig ?? null).includes('"HOST"'))
    vmConfig?.part.warn(
      'some variables come from the environment of the Envoy',
      'Set them where the Envoy is started: no mesh does it any more.',
    );
  if (typeof spec.url === 'string' && /^\w*:?\/?\/?[^/]*\.svc(\.cluster\.local)?(:\d+)?\//.test(spec.url))
    url?.part.warn(
      'this host is known inside its Kubernetes cluster only',
      'Attaché has to reach it; or attache push the module to a registry that both reach.',
    );
}

/** How many errors were noted in the document of a part: more after reading than before means that it was refused. */
export function countErrors({ notes }: SourcePart): number {
  return notes.filter(({ level }) => level === 'error').length;
}

/** A name as plugins may have it: lower-case letters, digits, dashes and dots; empty where nothing is left. */
export function toPluginDocumentName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .slice(0, 240)
    .replace(/^[-.]+|[-.]+$/g, '');
}
