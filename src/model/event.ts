/** One line of what happened, appended by the stage it happened in. */
export interface Event {
  /** Dotted, e.g. `plugin.refused`, `node.connected`, `module.ready`. */
  readonly type: string;
  readonly at: number;
  readonly plugin?: string;
  readonly node?: string;
  readonly message: string;
}
