import type { Plan } from '../api/schema/plan-view.ts';
import { DEFAULT_NAMESPACE } from '../model/document-metadata.ts';
import { type LocatedFault, locateFault, type PlannedDocument } from './apply-plan.ts';
import { type RestClient, RestError } from './rest-client.ts';

/** Refusals of these are about a document; others (frozen, not allowed, too many) are not. */
const ABOUT_DOCUMENT: readonly number[] = [400, 409, 413, 422];

/** What a plan goes by beside the documents. */
export interface PlanOptions {
  readonly preset?: string | undefined;
  /** False: no module is fetched, so that only the documents are looked at. */
  readonly modules: boolean;
}

/**
 * What the documents would change, each as if those before it were stored already; or the faults that the server
 * finds, with their places in the files.
 */
export async function makePlan(
  client: RestClient,
  documents: readonly PlannedDocument[],
  { preset, modules }: PlanOptions,
): Promise<{ readonly plan: Plan } | { readonly faults: readonly LocatedFault[] }> {
  const query = [
    ...(preset === undefined ? [] : [`preset=${preset}`]),
    ...(modules ? [] : ['modules=false']),
  ];
  // Credentials change no node by themselves, and travel no more than they must.
  const planned = documents.filter(({ kind }) => kind !== 'pullsecret');
  const path = query.length === 0 ? '/v1/plans' : `/v1/plans?${query.join('&')}`;
  try {
    return { plan: await client.post<Plan>(path, { documents: planned.map(toBody) }) };
  } catch (error) {
    if (!(error instanceof RestError) || !ABOUT_DOCUMENT.includes(error.status)) throw error;
    return { faults: locateFaults(planned, error) };
  }
}

/** A bare Envoy resource says no namespace: in a list of documents it has to. */
function toBody({ body, kind, namespace, name }: PlannedDocument): unknown {
  const isBare = kind === 'resource' && !(typeof body === 'object' && body !== null && 'metadata' in body);
  if (!isBare || namespace === DEFAULT_NAMESPACE) return body;
  const metadata = { namespace, name };
  return { apiVersion: 'attache/v1', kind: 'EnvoyResource', metadata, spec: { resource: body } };
}

/** Pointers begin with the place in the list of documents. */
function locateFaults(documents: readonly PlannedDocument[], error: RestError): readonly LocatedFault[] {
  const { code, message, hint, faults } = error;
  if (faults.length === 0) return [{ line: hint === undefined ? message : `${message}. ${hint}`, code }];
  return faults.map(fault => {
    const [, index = '', rest = ''] = /^\/documents\/(\d+)(.*)$/s.exec(fault.pointer) ?? [];
    const document = index === '' ? undefined : documents[Number(index)];
    if (document === undefined) return { line: `${fault.pointer}: ${fault.message}`, code };
    const pointer = toBody(document) === document.body ? rest : rest.replace(/^\/spec\/resource/, '');
    return locateFault(document.source, { ...fault, pointer }, code);
  });
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
