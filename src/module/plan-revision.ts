import { isOciUrl, type PluginSpec, toPullPolicy } from '../model/plugin-spec.ts';
import {
  hashConfig,
  hashRevision,
  type ModuleFacts,
  type Revision,
  toRevisionConfig,
} from '../model/revision.ts';

/**
 * What this plugin resolved its URL to before, when that may be used without asking the source: the URL and the pin
 * are the same, and the policy is IfNotPresent. Other plugins' memory does not count.
 */
export function findKnownModule(spec: PluginSpec, revisions: readonly Revision[]): ModuleFacts | undefined {
  if (toPullPolicy(spec) === 'Always') return undefined;
  return [...revisions]
    .sort((a, b) => b.number - a.number)
    .map(({ module }) => module)
    .find(module => module.url === spec.url && isPinnedTo(module, spec.sha256));
}

/** The revision for a spec and a module: one of the same content where there is one, else the next number. */
export function planRevision(
  plugin: string,
  spec: PluginSpec,
  module: ModuleFacts,
  revisions: readonly Revision[],
  now: number,
): { readonly revision: Revision; readonly isNew: boolean } {
  const config = toRevisionConfig(spec);
  const contentHash = hashRevision(module.sha256, config);
  const same = revisions.find(revision => revision.contentHash === contentHash);
  if (same !== undefined) return { revision: same, isNew: false };
  const revision: Revision = {
    plugin,
    number: Math.max(0, ...revisions.map(({ number }) => number)) + 1,
    contentHash,
    configHash: hashConfig(config),
    config,
    module,
    createdAt: now,
    ...(spec.message === undefined ? {} : { message: spec.message }),
  };
  return { revision, isNew: true };
}

function isPinnedTo(module: ModuleFacts, sha256: string | undefined): boolean {
  if (sha256 === undefined) return true;
  const pins = isOciUrl(module.url)
    ? [module.referenceDigest, module.manifestDigest]
    : [`sha256:${module.sha256}`];
  return pins.includes(`sha256:${sha256}`);
}
