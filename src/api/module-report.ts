import type { InspectedModule, InspectedSymbol } from '../model/module-inspection.ts';
import type { Revision } from '../model/revision.ts';
import type { ModuleReport } from './schema/module-report.ts';
import { toSignatureView } from './to-signature-view.ts';
import { toTrialView } from './to-trial-view.ts';

/** What is known of a module: what lies in its bytes (undefined: they are not here), and what came of trying it. */
export function toModuleReport(
  sha256: string,
  inside: InspectedModule | undefined,
  revisions: readonly Revision[],
): ModuleReport {
  return {
    kind: 'ModuleReport',
    sha256,
    inside:
      inside === undefined
        ? null
        : {
            sizeBytes: inside.sizeBytes,
            abi: inside.abi ?? null,
            memoryPages: inside.memoryPages,
            imports: inside.imports.map(toSymbolView),
            exports: inside.exports.map(toSymbolView),
            hasConfigSchema: inside.configSchema !== undefined,
          },
    revisions: revisions.map(({ plugin, number, module }) => ({
      plugin,
      number,
      url: module.url,
      layout: module.layout,
      signature: toSignatureView(module.signature),
      trial: toTrialView(module.trial),
    })),
  };
}

function toSymbolView({ kind, name, signature }: InspectedSymbol) {
  return { kind, name, signature: signature ?? null };
}
