/** What the data directory holds of modules, as the api tells it. */
export interface ModuleStorage {
  /** All that is kept below modules/, and how much that may be. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Hex sha256 of what is here. */
  readonly here: ReadonlySet<string>;
  /** Hex sha256 of what the built-in registry holds. */
  readonly inRegistry: ReadonlySet<string>;
}

export type ReadModuleStorage = () => Promise<ModuleStorage>;
