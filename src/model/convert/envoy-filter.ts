import type { ConvertedPlugin } from './conversion.ts';
import { type PatchedFilter, readHttpFilter } from './envoy-filter-patch.ts';
import type { ExtensionConfigs } from './extension-configs.ts';
import { mergeFilters, withPriorities } from './merge-filters.ts';
import { finishPlugin, toField } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';
import { findWasmService, readExtension, refuseWasmService } from './wasm-extension.ts';
import { refuseNetworkFilter, type SourceName } from './wasm-plugin.ts';

/**
 * Istio's EnvoyFilter: every Wasm filter that its patches add becomes a plugin; a filter that several patches add the
 * same becomes one.
 * https://istio.io/latest/docs/reference/config/networking/envoy-filter/
 */
export function convertEnvoyFilter(
  root: SourcePart,
  named: SourceName,
  extensions: ExtensionConfigs,
): readonly ConvertedPlugin[] {
  const spec = root.get('spec');
  const patches = spec?.path('config_patches');
  if (spec === undefined || patches === undefined) {
    (spec ?? root).refuse('missing-field', 'configPatches is missing');
    return [];
  }
  spec.leaveOutOthers(['workload_selector', 'target_refs', 'config_patches', 'priority']);
  const labels = spec.path('workload_selector', 'labels');
  const shared = {
    selector: toField(labels, labels === undefined ? undefined : { matchLabels: labels.texts() }),
    targetRefs: toField(spec.path('target_refs')),
  };
  const priority = spec.get('priority');
  if (priority !== undefined && priority.value !== 0)
    priority.warn(
      'left out: it orders EnvoyFilters, not plugins',
      'Set priority of the plugins: in a phase the higher one comes first.',
    );
  const items = patches.items();
  if (items.length === 0) patches.note('no patches: nothing to convert');
  const isCluster = (patch: SourcePart) => patch.path('apply_to')?.value === 'CLUSTER';
  const others = items.filter(patch => !isCluster(patch));
  const read = others.flatMap(patch => readPatch(patch, named, extensions) ?? []);
  for (const patch of items.filter(isCluster)) tellOfCluster(patch, read);
  const filters = mergeFilters(read);
  tellOfVmIds(filters);
  return withPriorities(filters).flatMap(({ draft }) => {
    const fields = { ...shared, ...draft.fields };
    return finishPlugin({ ...draft, fields }) ?? [];
  });
}

function readPatch(
  patch: SourcePart,
  named: SourceName,
  extensions: ExtensionConfigs,
): PatchedFilter | undefined {
  const applyTo = patch.path('apply_to');
  const value = patch.path('patch', 'value');
  switch (applyTo?.value) {
    case 'HTTP_FILTER':
      return readHttpFilter(patch, named, extensions);
    case 'EXTENSION_CONFIG':
      // Read with the HTTP_FILTER that refers to it.
      return undefined;
    case 'NETWORK_FILTER': {
      const isWasm = value !== undefined && readExtension(value).kind === 'network';
      return isWasm ? refuseNetworkFilter(applyTo) : refusePatch(applyTo);
    }
    default: {
      const service = value === undefined ? undefined : findWasmService(value);
      return service === undefined ? refusePatch(applyTo ?? patch) : refuseWasmService(service);
    }
  }
}

/** Plugins that shared a VM, and with it data and queues, share it no more. */
function tellOfVmIds(filters: readonly PatchedFilter[]): void {
  for (const { filter } of filters) {
    const { vmId } = filter;
    const sharing = filters.filter(other => other.filter.vmId?.value === vmId?.value);
    if (sharing.length > 1)
      vmId?.warn(
        'left out: each plugin has a VM of its own, and these no longer share data or queues',
        'Make one module of them, if they need each other.',
      );
    else vmId?.note('left out: each plugin has a VM of its own');
  }
}

/** One that a module is fetched from is needed no more; another one is a resource of its own. */
function tellOfCluster(patch: SourcePart, filters: readonly PatchedFilter[]): void {
  const name = patch.path('patch', 'value', 'name')?.value;
  if (name !== undefined && filters.some(({ filter }) => filter.moduleCluster === name))
    patch.note('left out: a cluster that a module is fetched from; Attaché fetches it itself');
  else
    patch.refuse(
      'not-a-wasm-filter',
      'a cluster is no plugin',
      'If a plugin calls it, apply it as Envoy has it, with its @type. If modules are fetched from it, it is not needed.',
    );
}

function refusePatch(applyTo: SourcePart): undefined {
  return applyTo.refuse(
    'not-a-wasm-filter',
    'a patch that adds no Wasm filter',
    'Change the listener or route of your Envoys: attache apply takes them as Envoy has them.',
  );
}
