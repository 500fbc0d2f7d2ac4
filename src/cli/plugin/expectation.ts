import type { DocumentPart } from '../../model/document-part.ts';
import type { Exchange, HeaderPairs, MessageChange } from '../../model/plugin-run.ts';
import { readText } from './request-message.ts';

/** What a request file says that comes of a request; only what is written is looked at. */
export interface Expectation {
  readonly status?: number;
  /** Of the response; null: the header is not there. */
  readonly headers: Readonly<Record<string, string | null>>;
  readonly body?: string;
  /** Of the request as the application gets it. */
  readonly requestHeaders: Readonly<Record<string, string | null>>;
  readonly requestBody?: string;
  /** Whether the application gets the request. */
  readonly forwarded?: boolean;
  /** Texts that each stand in a log line. */
  readonly logs: readonly string[];
}

const FIELDS = ['status', 'headers', 'body', 'requestHeaders', 'requestBody', 'forwarded', 'logs'];
const MAX_LOGS = 100;

export function readExpectation(part: DocumentPart | undefined): Expectation {
  const fields = part?.fields(FIELDS);
  const status = fields?.get('status')?.integer(100, 599);
  const forwarded = fields?.get('forwarded');
  if (forwarded !== undefined && typeof forwarded.value !== 'boolean')
    forwarded.fault('wrong-type', 'expected true or false');
  const body = fields?.get('body');
  const requestBody = fields?.get('requestBody');
  return {
    ...(status === undefined ? {} : { status }),
    headers: readExpectedHeaders(fields?.get('headers')),
    ...(body === undefined ? {} : { body: readText(body) }),
    requestHeaders: readExpectedHeaders(fields?.get('requestHeaders')),
    ...(requestBody === undefined ? {} : { requestBody: readText(requestBody) }),
    ...(forwarded === undefined ? {} : { forwarded: forwarded.value === true }),
    logs: (fields?.get('logs')?.items(MAX_LOGS) ?? []).map(readText),
  };
}

function readExpectedHeaders(part: DocumentPart | undefined): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    (part?.entries() ?? []).map(([name, value]) => [
      name.toLowerCase(),
      value.value === null ? null : readText(value),
    ]),
  );
}

/** What did not come true, a sentence each. */
export function findDisappointments(expected: Expectation, exchange: Exchange): readonly string[] {
  const { response, request, isForwarded, logs } = exchange;
  const status = response && firstOf(response.after.headers, ':status');
  const wrong: string[] = [];
  if (expected.status !== undefined && status !== String(expected.status))
    wrong.push(`expected status ${expected.status}, got ${status ?? 'no response'}`);
  wrong.push(...compareHeaders('header', expected.headers, response));
  wrong.push(...compareHeaders('request header', expected.requestHeaders, request));
  wrong.push(...compareText('body', expected.body, response?.after.body));
  wrong.push(...compareText('request body', expected.requestBody, request.after.body));
  if (expected.forwarded !== undefined && expected.forwarded !== isForwarded)
    wrong.push(`expected the application ${expected.forwarded ? '' : 'not '}to get the request`);
  for (const text of expected.logs)
    if (!logs.some(({ message }) => message.includes(text)))
      wrong.push(`expected a log line with ${JSON.stringify(text)}`);
  return wrong;
}

/** A body of another length than its header says: an Envoy answers 400 or 502, or breaks the connection. */
export function findWrongLengths({ request, response, isForwarded }: Exchange): readonly string[] {
  const sides = [
    ['request', isForwarded ? request : undefined],
    ['response', response],
  ] as const;
  return sides.flatMap(([side, change]) => {
    if (change === undefined || change.before.body === change.after.body) return [];
    const length = firstOf(change.after.headers, 'content-length');
    const real = Buffer.byteLength(change.after.body);
    if (length === undefined || length === String(real)) return [];
    return [
      `the ${side} body has ${real} bytes now, content-length says ${length}: take the header away in on${side === 'request' ? 'Request' : 'Response'}Headers`,
    ];
  });
}

function compareHeaders(
  what: string,
  expected: Readonly<Record<string, string | null>>,
  change: MessageChange | undefined,
): readonly string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const values = (change?.after.headers ?? []).filter(([one]) => one === name).map(([, one]) => one);
    if (value === null ? values.length === 0 : values.includes(value)) return [];
    const got = values.length === 0 ? 'none' : values.map(one => JSON.stringify(one)).join(', ');
    return [
      `expected ${what} ${name} ${value === null ? 'not to be there' : JSON.stringify(value)}, got ${got}`,
    ];
  });
}

function compareText(what: string, expected: string | undefined, got: string | undefined): readonly string[] {
  if (expected === undefined || expected === got) return [];
  return [
    `expected ${what} ${JSON.stringify(expected)}, got ${got === undefined ? 'none' : JSON.stringify(got)}`,
  ];
}

function firstOf(headers: HeaderPairs, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1];
}
