import type { PluginName } from './plugin-spec.ts';

/** Who runs which revision of a plugin. Written by the rollout stage only; read by compile. */
export interface Assignment {
  readonly plugin: PluginName;
  /** What the selected nodes are to run; null: the plugin is in no chain. */
  readonly revision: number | null;
  /** The newest revision that was proven good, for falling back; null: none yet. */
  readonly good: number | null;
  /** The compiler's format number in force: an upgrade that changes bytes is a rollout too. */
  readonly format: number;
  /** Why a revision newer than `revision` is not assigned. */
  readonly refused?: Refusal;
  readonly since: number;
}

export interface Refusal {
  readonly revision: number;
  readonly node: string;
  /** Envoy's text, trimmed. */
  readonly message: string;
  readonly at: number;
}
