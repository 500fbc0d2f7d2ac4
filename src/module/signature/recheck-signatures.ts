import type { ModuleSignature } from '../../model/module-signature.ts';
import type { PluginSpec } from '../../model/plugin-spec.ts';
import type { Clock } from '../../model/ports.ts';
import type { Revision } from '../../model/revision.ts';
import type { Stored } from '../../store/store.ts';
import { ModuleError } from '../module-error.ts';
import type { PullCredentials } from '../registry-credentials.ts';
import { isSettled, type SignatureChecker, toUnchecked } from './signature-checker.ts';

export interface RecheckPorts {
  readonly signatures: Pick<SignatureChecker, 'renew' | 'isCurrent'>;
  /** Of the plugin's pull secret. */
  readonly credentials: PullCredentials | undefined;
  /** Where the revision is not what it was, nothing is recorded. */
  readonly record: (revision: Stored<Revision>, signature: ModuleSignature | undefined) => Promise<boolean>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Holds the revisions of a plugin, the newest first, against what is asked now, where something that is required was
 * missing (it may have been signed since), or where what is recorded is about something else: what was verified for an older policy or key is not passed off as verified by another. Answers a fault that may
 * pass: until then these revisions are marked as not checked.
 */
export async function recheckSignatures(
  spec: PluginSpec,
  revisions: readonly Stored<Revision>[],
  { signatures, credentials, record, clock }: RecheckPorts,
  signal: AbortSignal,
): Promise<ModuleError | undefined> {
  let fault: ModuleError | undefined;
  const known = new Map<string, ModuleSignature | undefined>();
  for (const revision of [...revisions].sort((a, b) => b.value.number - a.value.number)) {
    const { module } = revision.value;
    const source = { url: module.url, verificationKey: spec.verificationKey, credentials };
    const key = [module.url, module.referenceDigest, module.manifestDigest].join('\n');
    try {
      const { signature } = module;
      if (isSettled(signatures, source, signature)) continue;
      if (!known.has(key)) known.set(key, await signatures.renew(source, module, signal));
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      if (error.transient) fault = error;
      known.set(key, toUnchecked(error.message, clock.now(), module.signature?.by));
    }
    await record(revision, known.get(key));
  }
  return fault;
}
