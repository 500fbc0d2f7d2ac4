/** A module that is to run: its bytes are asked for where they are needed, when its turn has come. */
export interface TrialModule {
  /** Undefined: no process is used twice for it. */
  readonly sha256: string | undefined;
  readonly sizeBytes: number;
  readonly load: () => Promise<Uint8Array>;
}

/** One that is at hand. */
export function toTrialModule(bytes: Uint8Array): TrialModule {
  return { sha256: undefined, sizeBytes: bytes.length, load: async () => bytes };
}
