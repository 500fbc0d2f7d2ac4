import type { JsonObject } from './plugin-spec.ts';
import type { Preset, Strategy } from './rollout-strategy.ts';

export interface StrategyOptions {
  /** `--preset`: instead of what the document says of steps and bake. */
  readonly preset?: string;
  /** Below ten, the default preset is `fast`. */
  readonly targets: number;
}

export const PRESETS: readonly Preset[] = ['cautious', 'standard', 'fast', 'all-at-once'];

export function resolveStrategy(_rollout: JsonObject | undefined, _options: StrategyOptions): Strategy {
  throw new Error('not there yet');
}
