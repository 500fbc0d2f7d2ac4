import { type ClientsReport, formatClientsReport } from './clients/clients-report.ts';
import { type EffectReport, formatEffectReport } from './effect/effect-report.ts';
import { formatServeReport, type ServeReport } from './serve/serve-report.ts';
import { formatStartReport, type StartReport } from './start-report.ts';
import { formatReport, type XdsReport } from './xds/report.ts';

/** What was measured, by part; a part that never was is not there. */
export interface Results {
  readonly xds?: XdsReport;
  readonly clients?: ClientsReport;
  readonly modules?: ServeReport;
  readonly effect?: EffectReport;
  readonly start?: StartReport;
}

export type PartName = keyof Results;

type Parts = {
  readonly [Name in PartName]-?: {
    /** Of bench/, with what comes before `--json`. */
    readonly script: readonly string[];
    readonly format: (report: NonNullable<Results[Name]>) => string;
  };
};

export const PARTS: Parts = {
  xds: { script: ['xds.ts', '--transports'], format: formatReport },
  clients: { script: ['clients.ts'], format: formatClientsReport },
  modules: { script: ['serve-modules.ts'], format: formatServeReport },
  effect: { script: ['effect.ts'], format: formatEffectReport },
  start: { script: ['start.ts'], format: formatStartReport },
};

/**
 * The page with the tables of these results between `<!-- bench NAME -->` and `<!-- /bench NAME -->`; what stands around them
 * is people's, and stays. Throws where the page has no place for a part that was measured.
 */
export function writeTables(page: string, results: Results): string {
  return (Object.keys(PARTS) as PartName[]).reduce((text, name) => {
    const table = formatPart(name, results);
    return table === undefined ? text : replaceBetween(text, name, table);
  }, page);
}

function formatPart(name: PartName, results: Results): string | undefined {
  const report = results[name];
  // Which report goes with which part, the type of PARTS has checked.
  const format = PARTS[name].format as (report: unknown) => string;
  return report === undefined ? undefined : format(report);
}

function replaceBetween(page: string, name: PartName, table: string): string {
  const [open, close] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`the page has no lines ${open} and ${close}`);
  return `${page.slice(0, from + open.length)}\n\n${table}\n\n${page.slice(to)}`;
}
