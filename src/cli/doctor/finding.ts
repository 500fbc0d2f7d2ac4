import { toCountText } from '../../model/quantity-text.ts';

/** `problem`: something does not work, or is open to strangers; `warning`: it works, and will not always. */
export type Level = 'ok' | 'warning' | 'problem';

/** One thing that was looked at: what is the case, and what to do about it. */
export interface Finding {
  readonly level: Level;
  /** For programs; stays as it is from release to release. */
  readonly code: string;
  /** One sentence, or a few words where all is well. */
  readonly text: string;
}

/** What was found out about one thing: `server http://127.0.0.1:18002`, `bootstrap envoy.yaml`. */
export interface Report {
  readonly about: string;
  readonly findings: readonly Finding[];
}

export const ok = (code: string, text: string): Finding => ({ level: 'ok', code, text });
export const warning = (code: string, text: string): Finding => ({ level: 'warning', code, text });
export const problem = (code: string, text: string): Finding => ({ level: 'problem', code, text });

/** Of all reports; ok ones too. */
export function countFindings(reports: readonly Report[], level: Level): number {
  return reports.flatMap(report => report.findings).filter(finding => finding.level === level).length;
}

/** For people: a line per finding under the thing that it is about, and the sum. */
export function describeReports(reports: readonly Report[]): string {
  const lines = reports.flatMap(({ about, findings }) => [
    about,
    ...findings.map(({ level, text }) => `  ${level.padEnd(7)}  ${text}`),
  ]);
  const problems = countFindings(reports, 'problem');
  const warnings = countFindings(reports, 'warning');
  const sum = [
    ...(problems > 0 ? [toCountText(problems, 'problem')] : []),
    ...(warnings > 0 ? [toCountText(warnings, 'warning')] : []),
  ].join(', ');
  return [...lines, sum === '' ? 'all well' : sum].join('\n');
}

/** The first few names and how many more there are: `edge-1, edge-2, edge-3 and 4 more`. */
export function toNameList(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
