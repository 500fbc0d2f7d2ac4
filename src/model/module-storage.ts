/** What the data directory holds of modules, as the api tells it. */
export interface ModuleStorage {
  /** All that is kept below modules/, and how much that may be. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Hex sha256 of what is here. */
  readonly here: ReadonlySet<string>;
  /** Hex sha256 of what manifests of the built-in registry name. */
  readonly inRegistry: ReadonlySet<string>;
}

export type ReadModuleStorage = () => Promise<ModuleStorage>;
