import type { DocumentFault } from './document-error.ts';
import { readMetadata, readSelector } from './document-metadata.ts';
import { DocumentPart, toDefined } from './document-part.ts';
import { readUrl, readVerificationKey, readVmConfig } from './plugin-module-fields.ts';
import { PROBE_NAME } from './plugin-place.ts';
import { readMatch, readTargetRefs } from './plugin-placement-fields.ts';
import {
  type FailStrategy,
  type JsonObject,
  type Phase,
  type PluginSpec,
  toPluginName,
} from './plugin-spec.ts';
import { readRollout } from './rollout-document.ts';

/** What a plugin document says; the time of its creation is not its own. */
export type PluginDocument = Omit<PluginSpec, 'createdAt'>;

/** The two spellings of a plugin, both with the same spec. */
export const PLUGIN_KINDS: readonly { readonly apiVersion: string; readonly kind: string }[] = [
  { apiVersion: 'attache/v1', kind: 'Plugin' },
  { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin' },
];

const PHASES: readonly Phase[] = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED_PHASE'];
const FAIL_STRATEGIES: readonly FailStrategy[] = ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'];
/** The fields of `spec`, in the order of the documentation. */
export const SPEC_FIELDS: readonly string[] = [
  'selector',
  'targetRef',
  'targetRefs',
  'match',
  'url',
  'sha256',
  'imagePullPolicy',
  'imagePullSecret',
  'verificationKey',
  'pluginConfig',
  'pluginName',
  'phase',
  'priority',
  'failStrategy',
  'vmConfig',
  'type',
  'rollout',
];

/**
 * A WasmPlugin or Plugin document, or every fault in it, each with its JSON pointer.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
 */
export function parsePluginDocument(document: unknown): PluginDocument | DocumentFault[] {
  const root = new DocumentPart(document);
  // `status` is what `get -o yaml` prints and `kubectl` keeps: ours to say, not the user's.
  const fields = root.fields(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  // Not even an object: what it lacks is then no news.
  if (root.faults.some(fault => fault.pointer === '')) return root.faults;
  checkKind(root, fields);
  const metadata = readMetadata(root, fields.get('metadata'), 'plugin');
  if (toPluginName(metadata) === PROBE_NAME)
    root
      .at('metadata', undefined)
      .at('name', undefined)
      .fault('out-of-bounds', `${PROBE_NAME} is what Attaché itself pushes`, 'Choose another name.');
  const spec = fields.get('spec');
  if (spec === undefined) root.at('spec', undefined).missing('url');
  const read = spec === undefined ? { url: '' } : readSpec(spec);
  return root.faults.length > 0 ? root.faults : { ...metadata, ...read };
}

function checkKind(root: DocumentPart, fields: ReadonlyMap<string, DocumentPart>): void {
  const kind = fields.get('kind')?.value;
  const apiVersion = fields.get('apiVersion')?.value;
  if (PLUGIN_KINDS.some(known => known.kind === kind && known.apiVersion === apiVersion)) return;
  const same = PLUGIN_KINDS.find(known => known.kind === kind);
  const words = PLUGIN_KINDS.map(known => `apiVersion: ${known.apiVersion}, kind: ${known.kind}`).join(
    '; or ',
  );
  if (same === undefined)
    (fields.get('kind') ?? root.at('kind', undefined)).fault(
      'unknown-kind',
      'not a plugin',
      `Write ${words}`,
    );
  else
    (fields.get('apiVersion') ?? root.at('apiVersion', undefined)).fault(
      'unknown-kind',
      `a ${same.kind} of this version is not known`,
      `Write apiVersion: ${same.apiVersion}`,
    );
}

function readSpec(spec: DocumentPart): Omit<PluginDocument, 'namespace' | 'name'> {
  const fields = spec.fields(SPEC_FIELDS);
  refuseWhatIsNotThere(fields);
  const policy = fields.get('imagePullPolicy')?.oneOf(['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always']);
  return toDefined({
    ...readUrl(spec, fields),
    imagePullPolicy: policy === 'UNSPECIFIED_POLICY' ? undefined : policy,
    verificationKey: readVerificationKey(fields),
    imagePullSecret: fields.get('imagePullSecret')?.text({ min: 1, max: 253 }),
    selector: readSelector(fields.get('selector')),
    targetRefs: readTargetRefs(fields),
    match: readMatch(fields.get('match')),
    pluginConfig: fields.get('pluginConfig')?.json(),
    pluginName: fields.get('pluginName')?.text({ min: 1, max: 256 }),
    phase: fields.get('phase')?.oneOf(PHASES),
    priority: fields.get('priority')?.integer(-(2 ** 31), 2 ** 31 - 1),
    failStrategy: fields.get('failStrategy')?.oneOf(FAIL_STRATEGIES),
    env: readVmConfig(fields.get('vmConfig')),
    rollout: readRollout(fields.get('rollout')),
  });
}

/** What would be a lie to accept: it would look as if it were obeyed. */
function refuseWhatIsNotThere(fields: ReadonlyMap<string, DocumentPart>): void {
  const type = fields.get('type');
  if (type?.oneOf(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK']) === 'NETWORK')
    type.fault('not-supported', 'network filters are not supported yet; only type HTTP is');
}

/** The `spec` of a document that says what is stored; the other direction of `parsePluginDocument`. */
export function toPluginDocumentSpec(document: PluginDocument): JsonObject {
  const { env, match, targetRefs, ...rest } = document;
  const kept = Object.entries(rest).filter(([field]) => SPEC_FIELDS.includes(field));
  const spec = {
    ...Object.fromEntries(kept),
    // Whom a group stands for is not the document's to say.
    targetRefs: targetRefs?.map(({ members: _, ...ref }) => ref),
    match: match?.map(({ mode, ports }) => ({ mode, ports: ports?.map(number => ({ number })) })),
    vmConfig: env === undefined ? undefined : { env },
  };
  // Through JSON text, so that what is undefined is absent.
  return JSON.parse(JSON.stringify(spec)) as JsonObject;
}
