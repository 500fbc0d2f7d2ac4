import type { HttpResponse } from './http-client.ts';
import { ModuleError } from './module-error.ts';
import { readBounded } from './read-bounded.ts';

const MAX_TEXT_BYTES = 16 << 10;

/** The error that an answer other than success stands for; reads its body for the registry's own words. */
export async function toResponseError(response: HttpResponse, what: string): Promise<ModuleError> {
  const said = await readMessage(response);
  const host = response.url.host;
  const { status } = response;
  const text = `${what}: ${host} answers ${status}${said === '' ? '' : ` (${said})`}`;
  if (status === 401)
    return new ModuleError('unauthorized', text, { hint: `Log the server in: docker login ${host}` });
  if (status === 403)
    return new ModuleError('denied', text, {
      hint: 'The repository is missing or private, or these credentials do not reach it.',
    });
  if (status === 404)
    return new ModuleError('module-not-found', text, {
      hint: 'Check the URL (repository, tag), and that the module was pushed. A private one can look missing.',
    });
  const retryAfterMs = parseRetryAfter(response.headers);
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429)
    return new ModuleError('registry-busy', text, {
      ...retry,
      hint: `${host} limits requests. It is tried again.`,
    });
  if (status >= 500 || status === 408)
    return new ModuleError('registry-error', text, {
      ...retry,
      hint: `${host} has a fault. It is tried again.`,
    });
  return new ModuleError('request-refused', text, {
    hint: 'Check that the URL names a registry, and its repository.',
  });
}

/**
 * How long to wait, ms: seconds, or a date that is compared with the answer's own Date, since clocks differ; undefined:
 * nothing is asked for. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function parseRetryAfter(headers: HttpResponse['headers']): number | undefined {
  const { 'retry-after': asked, date } = headers;
  if (typeof asked !== 'string') return undefined;
  if (/^\d{1,6}$/.test(asked)) return Number(asked) * 1_000;
  const ms = Date.parse(asked) - Date.parse(String(date ?? ''));
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** The first message of the OCI error format, made printable, or nothing. */
async function readMessage(response: HttpResponse): Promise<string> {
  try {
    const text = (await readBounded(response.body, MAX_TEXT_BYTES, 'an error answer')).toString('utf8');
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const [first] = errors ?? [];
    const said = [first?.code, first?.message].filter(part => typeof part === 'string').join(': ');
    return said.replace(/[^\x21-\x7e]+/g, ' ').slice(0, 200);
  } catch {
    return '';
  }
}
