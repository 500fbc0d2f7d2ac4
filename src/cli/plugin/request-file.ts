import { readFileSync } from 'node:fs';
import { DocumentPart } from '../../model/document-part.ts';
import { toMessage } from '../../model/error.ts';
import type { CallAnswer, HeaderPairs, RunPlan, RunStep } from '../../model/plugin-run.ts';
import { toCanonicalJson } from '../../model/plugin-spec.ts';
import { parseDuration } from '../../model/rollout-units.ts';
import { locateFault } from '../apply-plan.ts';
import { CliError } from '../cli-error.ts';
import { describeFaults } from '../make-plan.ts';
import { parseDocuments, type SourceDocument } from '../read-documents.ts';
import { readStdin } from '../read-stdin.ts';
import { type Expectation, readExpectation } from './expectation.ts';
import { readBody, readHeaders, readProperties, readText, withLength } from './request-message.ts';

/** A request file: what is to be run, and for each request what is expected of it. */
export interface RequestFile {
  readonly plan: RunPlan;
  readonly expectations: readonly Expectation[];
}

const ROOT = ['pluginConfig', 'pluginName', 'env', 'envoyVersion', 'now', 'properties', 'calls', 'requests'];
const REQUEST = [
  'name',
  'after',
  'times',
  'method',
  'path',
  'host',
  'headers',
  'body',
  'trailers',
  'properties',
];
const ANSWER = ['status', 'headers', 'body', 'trailers'];
const MAX_REQUESTS = 10_000;
const MAX_CALLS = 100;
/** Where the file names no time: the same in every run. */
const DEFAULT_NOW_MS = Date.UTC(2026, 0, 1);

/** Reads a request file, YAML or JSON. Throws CliError `bad-file` with every fault and its place. */
export function readRequestFile(path: string, plugin: string): RequestFile {
  const source = readSource(path);
  const root = new DocumentPart(source.value);
  const file = parse(root, plugin);
  if (root.faults.length === 0) return file;
  const lines = describeFaults(root.faults.map(fault => locateFault(source, fault, undefined)));
  throw new CliError(
    'bad-file',
    lines
      .slice(0, -1)
      .join('\n')
      .replace(/^error: /, ''),
    {
      hint: 'docs/plugins.md#request-files has all fields.',
    },
  );
}

function readSource(path: string): SourceDocument {
  const faults: string[] = [];
  let text: string;
  try {
    text = path === '-' ? readStdin() : readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
  const [source] = parseDocuments(text, path, faults);
  if (faults.length > 0) throw new CliError('bad-file', faults.join('\n'));
  if (source === undefined) throw new CliError('bad-file', `${path}: there is no request in it`);
  return source;
}

/** Of a bare list all else is as it is without it. */
function parse(root: DocumentPart, plugin: string): RequestFile {
  const isList = Array.isArray(root.value);
  const fields = isList ? undefined : root.fields(ROOT);
  const requests = isList ? root : fields?.get('requests');
  if (requests === undefined) root.missing('requests');
  const all = (requests?.items(MAX_REQUESTS) ?? []).flatMap(readRequest);
  const env = (fields?.get('env')?.entries() ?? []).map(([name, value]) => [name, readText(value)] as const);
  return {
    plan: {
      envoyVersion: readText(fields?.get('envoyVersion')),
      plugin,
      pluginName: readText(fields?.get('pluginName')),
      pluginConfig: readConfig(fields?.get('pluginConfig')),
      env: Object.fromEntries(env),
      nowMs: readTime(fields?.get('now')),
      properties: readProperties(fields?.get('properties')),
      calls: (fields?.get('calls')?.items(MAX_CALLS) ?? []).map(readCall),
      steps: all.map(({ step }) => step),
    },
    expectations: all.map(({ expectation }) => expectation),
  };
}

/** As Attaché gives it to an Envoy; a text is handed over as it is. */
function readConfig(part: DocumentPart | undefined): string {
  if (part === undefined) return '';
  if (typeof part.value === 'string') return part.value;
  const config = part.json();
  return config === undefined || Object.keys(config).length === 0 ? '' : toCanonicalJson(config);
}

function readTime(part: DocumentPart | undefined): number {
  if (part === undefined) return DEFAULT_NOW_MS;
  const time = Date.parse(readText(part));
  if (Number.isFinite(time)) return time;
  part.fault('out-of-bounds', 'expected a time such as 2026-01-01T00:00:00Z');
  return DEFAULT_NOW_MS;
}

interface Request {
  readonly step: RunStep;
  readonly expectation: Expectation;
}

/** As often as it says. */
function readRequest(part: DocumentPart, index: number): readonly Request[] {
  const fields = part.fields([...REQUEST, 'response', 'expect']);
  const body = readBody(fields.get('body'));
  const method = readText(fields.get('method')) || (body.length > 0 ? 'POST' : 'GET');
  const path = readText(fields.get('path')) || '/';
  const name = readText(fields.get('name'));
  const own: HeaderPairs = [
    [':method', method],
    [':path', path],
    [':scheme', 'http'],
    [':authority', readText(fields.get('host')) || 'localhost'],
  ];
  const headers = withLength([...own, ...readHeaders(fields.get('headers'))], body);
  const answer = fields.get('response');
  const step: RunStep = {
    name: name || `${index + 1}: ${method} ${path}`,
    afterMs: readDuration(fields.get('after')),
    request: { headers, body, trailers: readHeaders(fields.get('trailers')) },
    response: readAnswer(answer?.fields(ANSWER)),
    properties: readProperties(fields.get('properties')),
  };
  const expectation = readExpectation(fields.get('expect'));
  const times = fields.get('times')?.integer(1, MAX_REQUESTS) ?? 1;
  return Array.from({ length: times }, (_, i) => ({
    step: times === 1 ? step : { ...step, name: `${step.name} (${i + 1} of ${times})` },
    expectation,
  }));
}

function readAnswer(fields: ReadonlyMap<string, DocumentPart> | undefined): RunStep['response'] {
  const status = fields?.get('status')?.integer(100, 599) ?? 200;
  const body = readBody(fields?.get('body'));
  const headers = withLength([[':status', String(status)], ...readHeaders(fields?.get('headers'))], body);
  return { headers, body, trailers: readHeaders(fields?.get('trailers')) };
}

function readCall(part: DocumentPart): CallAnswer {
  const fields = part.fields(['cluster', 'path', 'broken', ...ANSWER]);
  if (!fields.has('cluster')) part.missing('cluster');
  const path = fields.get('path');
  return {
    cluster: readText(fields.get('cluster')),
    ...(path === undefined ? {} : { path: readText(path) }),
    ...(fields.get('broken')?.value === true ? {} : { message: readAnswer(fields) }),
  };
}

function readDuration(part: DocumentPart | undefined): number {
  if (part === undefined) return 0;
  const ms = parseDuration(part.value);
  if (ms === undefined) part.fault('out-of-bounds', 'expected a duration such as 500ms or 1s');
  return ms ?? 0;
}
