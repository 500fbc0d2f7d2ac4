import type { Plan } from '../api/schema/plan-view.ts';
import { type LocatedFault, locateFault, type PlannedDocument } from './apply-plan.ts';
import { type RestClient, RestError } from './rest-client.ts';

/** Refusals of these are about the document; others (frozen, not allowed, too many) are not. */
const ABOUT_DOCUMENT: readonly number[] = [400, 409, 413, 422];

/** What the documents would change, each as if those before it were stored already. */
export function makePlan(
  client: RestClient,
  documents: readonly PlannedDocument[],
  preset: string | undefined,
): Promise<Plan> {
  const query = preset === undefined ? '' : `?preset=${preset}`;
  return client.post<Plan>(`/v1/plans${query}`, { documents: documents.map(({ body }) => body) });
}

/** Asks the server about every document before one is stored; the faults it finds, with their places in the files. */
export async function findFaults(
  client: RestClient,
  documents: readonly PlannedDocument[],
): Promise<readonly LocatedFault[]> {
  const faults: LocatedFault[] = [];
  for (const { source, path, body } of documents) {
    try {
      await client.put(`${path}?dryRun=true`, body);
    } catch (error) {
      if (!(error instanceof RestError) || !ABOUT_DOCUMENT.includes(error.status)) throw error;
      const { code, message, hint } = error;
      const whole = { pointer: '', message, ...(hint === undefined ? {} : { hint }) };
      const found = error.faults.length > 0 ? error.faults : [whole];
      faults.push(...found.map(fault => locateFault(source, fault, code)));
    }
  }
  return faults;
}

/** `nothing was changed   (code unknown-field, docs/errors.md#unknown-field)` after the lines of the faults. */
export function describeFaults(faults: readonly LocatedFault[]): readonly string[] {
  const codes = [...new Set(faults.map(fault => fault.code).filter(code => code !== undefined))];
  const where = codes.map(code => `docs/errors.md#${code}`).join(', ');
  return [
    ...faults.map(({ line }) => `error: ${line}`),
    `nothing was changed${codes.length > 0 ? `   (code ${codes.join(', ')}, ${where})` : ''}`,
  ];
}
