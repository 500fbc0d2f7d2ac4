import type { PluginSpec } from '../model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import type { Store, Stored } from '../store/store.ts';
import { isSettled, type SignatureChecker } from './signature/signature-checker.ts';

type Signatures = Pick<SignatureChecker, 'isCurrent'>;

/** A plugin whose module was found, and nothing else is asked of its signatures: there is nothing to do if the module is here. */
export interface SettledPlugin {
  readonly spec: Stored<PluginSpec>;
  readonly sha256: string;
}

/** Most plugins at a start: to begin the work on each of 1,000 and see that there is none took 90 ms of CPU. */
export async function findSettled(
  specs: readonly Stored<PluginSpec>[],
  store: Store,
  signatures: Signatures,
): Promise<readonly SettledPlugin[]> {
  const revisions = Map.groupBy((await store.list('Revision')).records, ({ value }) => value.plugin);
  const progress = new Map(
    (await store.list('ModuleProgress')).records.map(({ key, value }) => [key, value]),
  );
  return specs.flatMap(spec => {
    const own = (revisions.get(spec.key) ?? []).map(({ value }) => value);
    const current = findCurrent(spec, progress.get(spec.key), own);
    return current !== undefined && areChecked(spec.value, current, own, signatures)
      ? [{ spec, sha256: current.module.sha256 }]
      : [];
  });
}

/** The revision that the newest document led to. */
function findCurrent(
  { value: { deleted }, revision }: Stored<PluginSpec>,
  progress: ModuleProgress | undefined,
  revisions: readonly Revision[],
): Revision | undefined {
  if (deleted !== undefined || progress?.state !== 'ready' || progress.specRevision !== revision)
    return undefined;
  return revisions.find(({ number }) => number === progress.revision);
}

/** The current one for where the document has it from, and each for where it came from. */
function areChecked(
  { url, verificationKey }: PluginSpec,
  current: Revision,
  revisions: readonly Revision[],
  signatures: Signatures,
): boolean {
  try {
    return (
      signatures.isCurrent({ url, verificationKey }, current.module.signature) &&
      revisions.every(({ module: { url, signature } }) =>
        isSettled(signatures, { url, verificationKey }, signature),
      )
    );
  } catch {
    // It will be said when it is tried.
    return false;
  }
}
