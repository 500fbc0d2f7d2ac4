import { DEFAULT_ROOT_NAMESPACE } from '../document-metadata.ts';
import { readConfiguration } from './configuration.ts';
import type { ConvertedPlugin } from './conversion.ts';
import { countErrors, finishPlugin, toField, toPluginDocumentName } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';
import { readTraffic } from './traffic-context.ts';
import type { SourceName } from './wasm-plugin.ts';

const FILTER_FIELDS = [
  'id',
  'image',
  'imagePullOptions',
  'parameters',
  'config',
  'rootID',
  'rootId',
  'patchContext',
];

/**
 * Alibaba Cloud's ASMFilterDeployment, and the FilterDeployment of wasme that it comes from: a filter by its image, and
 * the workloads that it is for. They differ in where the workload stands and in what the configuration is called.
 */
export function convertFilterDeployment(root: SourcePart, named: SourceName): readonly ConvertedPlugin[] {
  const spec = root.get('spec');
  const filter = spec?.get('filter');
  if (spec === undefined || filter === undefined) {
    (spec ?? root).refuse('missing-field', 'filter is missing: there is no module');
    return [];
  }
  spec.leaveOutOthers(['workload', 'deployment', 'filter']);
  filter.leaveOutOthers(FILTER_FIELDS);
  const before = countErrors(root);
  const name = named.name ?? toPluginDocumentName(filter.get('id')?.text() ?? '');
  if (name === '') root.refuse('missing-field', 'neither metadata.name nor spec.filter.id: it has no name');
  const image = filter.get('image');
  const url = toUrl(image);
  if (image === undefined) filter.refuse('missing-field', 'image is missing: there is no module');
  const rootId = filter.get('rootID', 'rootId', 'root_id');
  const fields = {
    selector: readWorkload(spec.get('workload') ?? spec.path('deployment', 'istio')),
    match: readTraffic(filter.get('patchContext')),
    url: toField(image, url),
    imagePullSecret: readPullOptions(filter.get('imagePullOptions')),
    pluginConfig: readConfiguration(filter.get('parameters', 'config')),
    pluginName: toField(rootId, rootId?.text()),
  };
  if (countErrors(root) > before) return [];
  if (named.namespace === DEFAULT_ROOT_NAMESPACE)
    root.warn(
      'in this namespace a plugin selects nodes of every namespace',
      'Give it the namespace of its nodes, unless the root-namespace of your server is another one.',
    );
  const plugin = finishPlugin({ name, namespace: named.namespace, fields, part: root });
  return plugin === undefined ? [] : [plugin];
}

function toUrl(image: SourcePart | undefined): string | undefined {
  const text = image?.text();
  return text === undefined || /^[a-z]+:\/\//.test(text) ? text : `oci://${text}`;
}

function readWorkload(workload: SourcePart | undefined) {
  if (workload === undefined) return undefined;
  workload.leaveOutOthers(['kind', 'labels', 'istioNamespace']);
  workload.get('kind')?.note('left out: labels alone choose nodes');
  workload.get('istioNamespace')?.note('left out: there is no mesh');
  const labels = workload.get('labels');
  return toField(labels, labels === undefined ? undefined : { matchLabels: labels.texts() });
}

function readPullOptions(options: SourcePart | undefined) {
  if (options === undefined) return undefined;
  options.leaveOutOthers(['pullSecret', 'insecureSkipVerify', 'plainHTTP', 'plainHttp']);
  for (const field of ['insecureSkipVerify', 'plainHTTP', 'plainHttp'])
    if (options.get(field)?.value === true)
      options
        .get(field)
        ?.warn('left out', 'How a registry is reached is a setting of the server: registries.');
  const secret = options.get('pullSecret');
  return toField(secret, secret?.text());
}
