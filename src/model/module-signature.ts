/**
 * What is known of a module's signature; it is about one state of the policy and the key of the plugin.
 * No record at all: nothing was asked, so nothing was looked for.
 */
export interface ModuleSignature {
  /**
   * `verified`: every signature that was asked for is there. `unsigned`: there is none. `failed`: there are some, and
   * what was asked for is not among them. `unchecked`: other things were asked since, and that was not looked at yet.
   */
  readonly state: 'verified' | 'unsigned' | 'failed' | 'unchecked';
  readonly by: readonly SignatureProof[];
  /** Why it is not `verified`. */
  readonly why?: string;
  /** Something is missing that is required: it must not be rolled out. */
  readonly refused: boolean;
  /** SignatureDemands.hash of what it was held against. */
  readonly policy: string;
  readonly checkedAt: number;
}

/** A signature that was verified. */
export interface SignatureProof {
  /** The authority of the configuration; absent for a key that stands in the plugin's own document. */
  readonly authority?: string;
  /** `sha256:<hex>` of the key. */
  readonly fingerprint: string;
  /** What was signed: the digest that the reference named, when that is an index, or the manifest chosen. */
  readonly signed: 'index' | 'manifest';
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly format: SignatureFormat;
}

/** Cosign's own payload, or a sigstore bundle with an in-toto statement. */
export type SignatureFormat = 'simple-signing' | 'bundle';

/** `verified by release`, `not signed`, `failed: …`, `not checked`. */
export function toSignatureText(signature: ModuleSignature | undefined): string {
  const { state, why } = signature ?? { state: 'unchecked' };
  const because = why === undefined ? '' : `: ${why}`;
  switch (state) {
    case 'verified':
      return `verified by ${toSignerText(signature?.by ?? [])}`;
    case 'unsigned':
      return `not signed${because}`;
    case 'failed':
      return `failed${because}`;
    case 'unchecked':
      return `not checked${because}`;
    default:
      return state satisfies never;
  }
}

/** Names of authorities; a key without one by the beginning of its fingerprint, `key 9f2c4be01d77`. */
export function toSignerText(by: readonly SignatureProof[]): string {
  const names = by.map(({ authority, fingerprint }) => authority ?? toKeyText(fingerprint));
  return [...new Set(names)].join(', ');
}

export function toKeyText(fingerprint: string): string {
  return `key ${fingerprint.slice('sha256:'.length, 'sha256:'.length + 12)}`;
}
