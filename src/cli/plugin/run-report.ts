import { cutText } from '../../model/cut-text.ts';
import type {
  Exchange,
  FlatMessage,
  HeaderPairs,
  MessageChange,
  PluginRun,
  RunLog,
} from '../../model/plugin-run.ts';
import { toCountText } from '../../model/quantity-text.ts';

/** A run with what did not come true of each request, in the order of the requests. */
export interface JudgedRun {
  readonly plugin: string;
  readonly run: PluginRun;
  readonly disappointments: readonly (readonly string[])[];
  /** How many requests there are in the file. */
  readonly asked: number;
}

/** Whether the plugin lived, answered everything, and did what was expected. */
export function isGood({ run, disappointments, asked }: JudgedRun): boolean {
  return (
    run.outcome === 'ok' &&
    run.exchanges.length === asked &&
    disappointments.every(list => list.length === 0) &&
    run.exchanges.every(({ stuck }) => stuck === undefined)
  );
}

/** All that a plugin did, for people. */
export function describeRun(judged: JudgedRun): string {
  const { plugin, run, disappointments } = judged;
  const metrics = Object.entries(run.metrics).sort();
  return [
    plugin,
    ...run.startLogs.map(toLogLine),
    ...run.exchanges.flatMap((exchange, i) => describeExchange(exchange, disappointments[i] ?? [])),
    ...run.endLogs.map(toLogLine),
    ...(run.outcome === 'ok' ? [] : [toEndLine(run)]),
    ...(metrics.length === 0
      ? []
      : [`metrics  ${metrics.map(([name, value]) => `${name} ${value}`).join(', ')}`]),
    toSummary(judged),
  ].join('\n');
}

function describeExchange(exchange: Exchange, disappointments: readonly string[]): readonly string[] {
  const { name, atMs, request, response, local, isForwarded, calls, stuck, isReset, unknownProperties } =
    exchange;
  const details = local?.details ? ` (${local.details})` : '';
  const answered = local === undefined ? '' : `, answered by the plugin${details}`;
  return [
    `${name}${atMs === 0 ? '' : `   at ${atMs / 1000} s`}  →  ${toOutcome(exchange)}${answered}`,
    ...describeChange('request', request, isForwarded),
    ...calls.map(
      ({ cluster, headers, answer, status }) =>
        `  called   ${cluster}: ${headerOf(headers, ':method')} ${headerOf(headers, ':path')}  →  ${CALL_ENDS[answer] ?? status}`,
    ),
    ...(response === undefined ? [] : describeChange('response', response, true)),
    ...exchange.logs.map(toLogLine),
    ...(unknownProperties.length === 0
      ? []
      : [`  note     asked for properties that the file does not give: ${unknownProperties.join(', ')}`]),
    ...(stuck === undefined
      ? []
      : [`  STUCK    paused at the ${stuck}, and nothing is left that would let it go on`]),
    ...(isReset ? ['  reset    the plugin closed the stream without an answer'] : []),
    ...disappointments.map(text => `  FAILED   ${text}`),
  ];
}

const CALL_ENDS: Readonly<Record<string, string>> = {
  broken: 'connection broken',
  'no-answer': 'refused: the file has no answer of this cluster (calls)',
};

function toOutcome({ response, stuck }: Exchange): string {
  if (response !== undefined) return headerOf(response.after.headers, ':status');
  return stuck === undefined ? 'no response' : 'stuck';
}

/** Headers with +, - and ~, and the body where it is another one. */
function describeChange(side: string, { before, after }: MessageChange, isWhole: boolean): readonly string[] {
  const pad = `  ${side.padEnd(8)} `;
  const lines = [
    ...diffHeaders(before.headers, after.headers),
    ...diffHeaders(before.trailers, after.trailers),
  ];
  // What did not go on is no change of the plugin.
  if (isWhole && before.body !== after.body) lines.push(`body ${quote(before)} → ${quote(after)}`);
  return lines.map(line => pad + line);
}

function diffHeaders(before: HeaderPairs, after: HeaderPairs): string[] {
  const names = [...new Set([...before, ...after].map(([name]) => name))];
  return names.flatMap(name => {
    const [was, is] = [valuesOf(before, name), valuesOf(after, name)];
    if (was.join('\0') === is.join('\0')) return [];
    if (was.length === 0) return is.map(value => `+ ${name}: ${value}`);
    if (is.length === 0) return [`- ${name}: ${was.join(', ')}`];
    const isMore = was.every((value, i) => is[i] === value);
    if (isMore) return is.slice(was.length).map(value => `+ ${name}: ${value}`);
    return [`~ ${name}: ${was.join(', ')} → ${is.join(', ')}`];
  });
}

const MAX_BODY_CHARS = 200;

function quote({ body }: FlatMessage): string {
  return JSON.stringify(cutText(body, MAX_BODY_CHARS));
}

function valuesOf(headers: HeaderPairs, wanted: string): readonly string[] {
  return headers.filter(([name]) => name === wanted).map(([, value]) => value);
}

function headerOf(headers: HeaderPairs, wanted: string): string {
  return valuesOf(headers, wanted)[0] ?? '–';
}

function toLogLine({ level, message }: RunLog): string {
  return `  log      ${level}: ${message}`;
}

const ENDS: Readonly<Record<string, string>> = {
  broken: 'BROKEN   the module holds code that is not valid',
  refused: 'REFUSED  the plugin refuses this configuration',
  trapped: 'TRAPPED  an Envoy would answer 503 from here on',
  'timed-out': 'TIMEOUT  an Envoy would stand still',
  'out-of-memory': 'MEMORY   it takes more than an Envoy gives',
  'not-run': 'NOT RUN',
};

function toEndLine({ outcome, reason }: PluginRun): string {
  return `  ${ENDS[outcome] ?? outcome}: ${reason}`;
}

function toSummary(judged: JudgedRun): string {
  const { run, disappointments, asked } = judged;
  const failed = run.exchanges.filter(
    ({ stuck }, i) => stuck !== undefined || (disappointments[i]?.length ?? 0) > 0,
  ).length;
  const missing = asked - run.exchanges.length;
  const words = [
    toCountText(run.exchanges.length - failed, 'request'),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(missing > 0 ? [`${missing} not reached`] : []),
  ];
  return `${isGood(judged) ? 'ok' : 'failed'}: ${words.join(', ')}`;
}
