import { type PluginSpec, toCanonicalJson, toPluginName } from '../../model/plugin-spec.ts';
import { type TrialFacts, toRevisionConfig } from '../../model/revision.ts';
import type { TargetEnvoys } from '../check-module.ts';
import { judgeTrial } from './judge-trial.ts';
import type { TrialModule } from './trial-module.ts';
import type { TrialResult } from './trial-result.ts';
import type { TrialInput } from './trial-runner.ts';

/** Runs a module once; the rest of TrialRunner is its owner's. */
export type RunTrial = (
  module: TrialModule,
  input: TrialInput,
  unwanted: AbortSignal,
) => Promise<TrialResult>;

/**
 * Runs the module with what an Envoy would be given for this document, as the oldest of the targets would. Throws
 * ModuleError where an Envoy would refuse it, or stand still, or fail every request.
 */
export async function tryPlugin(
  module: TrialModule,
  spec: PluginSpec,
  targets: readonly TargetEnvoys[],
  runTrial: (module: TrialModule, input: TrialInput) => Promise<TrialResult>,
): Promise<TrialFacts> {
  return judgeTrial(await runTrial(module, toTrialInput(spec, targets)));
}

/** The same texts as the compiler gives to Envoy: src/compile/wasm-filter.ts. */
export function toTrialInput(spec: PluginSpec, targets: readonly TargetEnvoys[]): TrialInput {
  const { pluginConfig, pluginName = '', env } = toRevisionConfig(spec);
  return {
    envoyVersion: findOldest(targets.map(target => target.envoyVersion)),
    plugin: toPluginName(spec),
    pluginConfig: pluginConfig === undefined ? '' : toCanonicalJson(pluginConfig),
    pluginName: pluginName.toWellFormed(),
    env: env.map(({ name, value = '', ...more }) => ({
      ...more,
      name: name.toWellFormed(),
      value: value.toWellFormed(),
    })),
  };
}

/** Empty, which is the newest, where none is known. */
function findOldest(versions: readonly string[]): string {
  const known = versions.filter(version => /^\d+\.\d+/.test(version));
  return known.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0] ?? '';
}
