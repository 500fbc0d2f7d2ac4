import { modulePath } from '../model/module-fetch.ts';
import type { NodeCapabilities } from '../model/node.ts';
import { type EnvVar, type JsonObject, sha256Hex, toCanonicalJson } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import { MODULE_CLUSTER, STRING_VALUE_TYPE, WASM_TYPE } from './filter-types.ts';

const RUNTIME = 'envoy.wasm.runtime.v8';

/** What differs from push to push of one plugin; everything else comes from its revision. */
export interface PushParts {
  /** true: the verdict variant; false: the warming one. */
  readonly nackOnCodeCacheMiss: boolean;
  readonly capability: string;
  readonly tag: string;
}

/**
 * The Wasm HTTP filter of a plugin at a revision, as proto3 JSON with `@type`.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/wasm/v3/wasm.proto
 */
export function toWasmFilter(revision: Revision, node: NodeCapabilities, push: PushParts): JsonObject {
  const { config } = revision;
  return {
    '@type': WASM_TYPE,
    config: {
      name: revision.plugin,
      ...(config.pluginName === undefined ? {} : { root_id: config.pluginName.toWellFormed() }),
      vm_config: toVmConfig(revision, push),
      ...(config.pluginConfig === undefined
        ? {}
        : { configuration: { '@type': STRING_VALUE_TYPE, value: toCanonicalJson(config.pluginConfig) } }),
      ...toFailurePolicy(revision, node),
    },
  };
}

function toVmConfig(revision: Revision, push: PushParts): JsonObject {
  return {
    vm_id: toVmId(revision),
    runtime: RUNTIME,
    code: { remote: toRemoteCode(revision, push) },
    nack_on_code_cache_miss: push.nackOnCodeCacheMiss,
    ...toEnvironment(revision.config.env),
  };
}

/**
 * While a module is fetched Envoy keys its VM by empty code, so the id itself must tell digests apart. Configurations
 * of a plugin share a VM, unless the one that goes would kill it for the one that comes.
 */
function toVmId({ plugin, module, config, configHash }: Revision): string {
  const surroundings = sha256Hex(toCanonicalJson({ env: config.env, runtime: RUNTIME }));
  const id = `${plugin}.${module.sha256}.${surroundings.slice(0, 16)}`;
  return module.trial?.leaving === undefined ? id : `${id}.${configHash.slice(0, 16)}`;
}

function toRemoteCode({ module }: Revision, push: PushParts): JsonObject {
  return {
    http_uri: {
      uri: `http://attache${modulePath(module.sha256, push.capability, push.tag)}`,
      cluster: MODULE_CLUSTER,
      timeout: `${fetchTimeoutSeconds(module.sizeBytes)}s`,
    },
    sha256: module.sha256,
    // Only while a listener warms does Envoy try again. Without more tries than its own one a restart of ours in
    // that moment would end in a listener that answers 503; so it goes on waiting, about half a minute.
    retry_policy: { retry_back_off: { base_interval: '0.5s', max_interval: '4s' }, num_retries: 12 },
  };
}

/** 10 s plus the size at 1 MB/s. */
export function fetchTimeoutSeconds(sizeBytes: number): number {
  return 10 + Math.ceil(sizeBytes / 1_000_000);
}

/** Half a surrogate pair cannot be encoded; it must not take the node's other plugins with it. */
function toEnvironment(env: readonly EnvVar[]): JsonObject {
  if (env.length === 0) return {};
  const fromHost = env
    .filter(variable => variable.valueFrom === 'HOST')
    .map(({ name }) => name.toWellFormed());
  const inline = env.filter(variable => variable.valueFrom !== 'HOST');
  return {
    environment_variables: {
      ...(fromHost.length === 0 ? {} : { host_env_keys: fromHost }),
      ...(inline.length === 0
        ? {}
        : {
            key_values: Object.fromEntries(
              inline.map(({ name, value }) => [name.toWellFormed(), (value ?? '').toWellFormed()]),
            ),
          }),
    },
  };
}

/** Envoys that lack FAIL_RELOAD lack `failure_policy` as a whole: they have `fail_open`, and else fail closed. */
function toFailurePolicy(revision: Revision, node: NodeCapabilities): JsonObject {
  const strategy = revision.config.failStrategy;
  if (!node.failReload) return strategy === 'FAIL_OPEN' ? { fail_open: true } : {};
  return { failure_policy: strategy === 'FAIL_CLOSE' ? 'FAIL_CLOSED' : (strategy ?? 'FAIL_RELOAD') };
}
