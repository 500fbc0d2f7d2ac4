import { readConfiguration } from './configuration.ts';
import { countErrors, type DraftField, toField } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';
import { readCode } from './wasm-code.ts';

/** Of `envoy.extensions.wasm.v3.PluginConfig`. */
const CONFIG_FIELDS = [
  'name',
  'root_id',
  'vm_config',
  'configuration',
  'fail_open',
  'failure_policy',
  'reload_config',
  'capability_restriction_config',
  'allow_on_headers_stop_iteration',
];
const VM_FIELDS = [
  'vm_id',
  'runtime',
  'code',
  'configuration',
  'allow_precompiled',
  'nack_on_code_cache_miss',
  'environment_variables',
];
const V8 = 'envoy.wasm.runtime.v8';
/** What istiod tells the agent beside an Envoy by way of the environment; no plugin reads it. */
const AGENT_VARIABLE = /^ISTIO_META_WASM_/;
/** By number, too. */
const FAILURE_POLICIES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['FAIL_RELOAD', 'FAIL_RELOAD'],
  ['FAIL_CLOSED', 'FAIL_CLOSE'],
  ['FAIL_OPEN', 'FAIL_OPEN'],
  [1, 'FAIL_RELOAD'],
  [2, 'FAIL_CLOSE'],
  [3, 'FAIL_OPEN'],
]);

export interface WasmFilter {
  /** PluginConfig's own name. */
  readonly name: string | undefined;
  /** What its module is fetched from there. */
  readonly moduleCluster: unknown;
  readonly vmId: SourcePart | undefined;
  readonly fields: Readonly<Record<string, DraftField | undefined>>;
}

/**
 * Reads a Wasm HTTP filter as proto JSON, `{config: {…}}`; undefined where an error was noted.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/wasm/v3/wasm.proto
 */
export function readWasmFilter(filter: SourcePart): WasmFilter | undefined {
  const config = filter.get('config');
  if (config === undefined) return filter.refuse('missing-field', 'a Wasm filter has a config');
  const before = countErrors(filter);
  filter.leaveOutOthers(['@type', 'config']);
  config.leaveOutOthers(CONFIG_FIELDS);
  const vm = config.path('vm_config');
  if (vm === undefined) return config.refuse('missing-field', 'vm_config is missing: there is no module');
  const fields = {
    ...readVm(vm),
    pluginConfig: readConfiguration(config.get('configuration')),
    pluginName: readRootId(config),
    failStrategy: readFailStrategy(config),
  };
  tellOfOtherFields(config);
  const name = config.get('name')?.text();
  const moduleCluster = vm.path('code', 'remote', 'http_uri', 'cluster')?.value;
  return countErrors(filter) > before ? undefined : { name, moduleCluster, vmId: vm.path('vm_id'), fields };
}

function readRootId(config: SourcePart): DraftField | undefined {
  const part = config.path('root_id');
  return toField(part, part?.text());
}

function readFailStrategy(config: SourcePart): DraftField | undefined {
  const policy = config.path('failure_policy');
  const open = config.path('fail_open');
  if (policy !== undefined && policy.value !== 'UNSPECIFIED' && policy.value !== 0) {
    const known = FAILURE_POLICIES.get(policy.value);
    if (known === undefined) policy.refuse('out-of-bounds', 'not a failure_policy');
    return toField(policy, known);
  }
  return open?.value === true ? toField(open, 'FAIL_OPEN') : undefined;
}

function tellOfOtherFields(config: SourcePart): void {
  config.path('reload_config')?.note('left out: Attaché leaves the waiting time to Envoy');
  config
    .path('capability_restriction_config')
    ?.warn('left out: the plugin may use every function of the host', 'Look whether it may be trusted so.');
  config
    .path('allow_on_headers_stop_iteration')
    ?.warn('left out: what Envoy does by default holds', 'Test a plugin that stops in its header callbacks.');
}

function readVm(vm: SourcePart): WasmFilter['fields'] {
  vm.leaveOutOthers(VM_FIELDS);
  const runtime = vm.get('runtime');
  if (runtime !== undefined && runtime.value !== '' && runtime.value !== V8) {
    runtime.refuse(
      'other-runtime',
      'plugins run in V8 here, and in no other runtime',
      'If V8 runs the module too, write envoy.wasm.runtime.v8. A filter that is part of an Envoy stays in its configuration.',
    );
    return {};
  }
  vm.path('allow_precompiled')?.note('left out: Envoy compiles the module');
  vm.path('nack_on_code_cache_miss')?.note('left out: Attaché decides it push by push');
  const configuration = vm.get('configuration');
  if (configuration !== undefined)
    configuration.warn(
      'left out: VMs get no configuration of their own',
      'If the module reads it at start, hand it over in pluginConfig.',
    );
  return { ...readCode(vm), vmConfig: readEnvironment(vm) };
}

function readEnvironment(vm: SourcePart): DraftField | undefined {
  const part = vm.path('environment_variables');
  if (part === undefined) return undefined;
  const fromHost = part.path('host_env_keys')?.items() ?? [];
  const inline = part.path('key_values')?.entries() ?? [];
  const isKept = ([name, one]: readonly [string, SourcePart]) => {
    if (AGENT_VARIABLE.test(name)) one.note('left out: it is for the agent of the mesh');
    return !AGENT_VARIABLE.test(name);
  };
  const env = [
    ...fromHost.map(one => ({ name: one.text() ?? '', valueFrom: 'HOST' })),
    ...inline.filter(isKept).map(([name, one]) => ({ name, value: one.anyText() ?? '' })),
  ];
  return env.length === 0 ? undefined : toField(part, { env });
}
