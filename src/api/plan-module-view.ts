import type { PluginSpec } from '../model/plugin-spec.ts';
import { toSizeText } from '../model/quantity-text.ts';
import type { Revision } from '../model/revision.ts';
import type { PlannedModuleView } from './schema/plan-view.ts';

/** The module before and after. `after` undefined: it could not be had. */
export function toModuleView(
  { url }: PluginSpec,
  before: Revision | undefined,
  after: Revision | undefined,
): PlannedModuleView {
  const { sha256 = null, sizeBytes = null, abi = null, importCount = null } = after?.module ?? {};
  const was = before?.module.sha256 ?? null;
  return {
    before: was,
    after: sha256,
    changed: sha256 === null ? null : sha256 !== was,
    url,
    sizeBytes,
    abi,
    importCount,
    text: toText(was, after),
  };
}

/** `unchanged (9f2c4be01d77)`, `9f2c4be01d77 → 41d0aa93be02, 254 KB` */
function toText(was: string | null, after: Revision | undefined): string {
  if (after === undefined) return 'not known';
  const { sha256, sizeBytes } = after.module;
  if (sha256 === was) return `unchanged (${sha256.slice(0, 12)})`;
  return `${was === null ? '' : `${was.slice(0, 12)} → `}${sha256.slice(0, 12)}, ${toSizeText(sizeBytes)}`;
}
