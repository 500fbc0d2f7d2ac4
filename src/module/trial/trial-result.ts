import type { LogLevel, TrialEvent, WantedKind } from './trial-protocol.ts';

/** What a trial run of a plugin with its real configuration found. */
export interface TrialResult {
  readonly outcome: TrialOutcome;
  /** What happened, as part of a sentence; empty for `ok`. */
  readonly reason: string;
  /** What the plugin logged, as far as it is kept. */
  readonly logs: readonly TrialLog[];
  readonly hasMoreLogs: boolean;
  /** From the first byte of the module's code to the end. */
  readonly tookMs: number;
  /** What it asked its host for. */
  readonly wanted: TrialWanted;
  /** What it asked for that only a node knows: phrases that complete "the trial run could not know: …". */
  readonly unknowable: readonly string[];
  /**
   * How it fails when it is asked to go, as Envoy asks it when it gets another configuration: the VM that both share is
   * dead then. Empty: it does not, or it did not come to it.
   */
  readonly leaving: string;
}

export type TrialOutcome =
  /** Envoy would take it, as far as can be known. */
  | 'ok'
  /** It said no or trapped after it had asked for what only a node knows: an Envoy must decide. */
  | 'unsure'
  /** The bytes are no valid module. */
  | 'broken'
  | 'refused'
  | 'trapped'
  | 'timed-out'
  | 'out-of-memory'
  /** The child process did not come to it. */
  | 'not-run';

export interface TrialLog {
  readonly level: LogLevel;
  readonly message: string;
}

export interface TrialWanted {
  /** `xds.node.id` */
  readonly properties: readonly string[];
  readonly metrics: readonly string[];
  readonly clusters: readonly string[];
  readonly foreignFunctions: readonly string[];
  /** Variables of `valueFrom: HOST`, when it read its environment. */
  readonly hostEnv: readonly string[];
}

/** How the child process ended. */
export interface ChildEnding {
  /** We ended it: it took too long. */
  readonly isTimedOut: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to stderr, or why it could not be started. */
  readonly complaint: string;
  readonly limitMs: number;
}

const WANTED: Readonly<Record<WantedKind, keyof TrialWanted>> = {
  property: 'properties',
  metric: 'metrics',
  cluster: 'clusters',
  foreignFunction: 'foreignFunctions',
  hostEnv: 'hostEnv',
};
/** Most of the memory that Envoy gives, 16384 pages: what takes so much and then fails has failed for it. */
const LARGE_PAGES = 8192;

/** The result of what a child process told and of how it ended. */
export function toTrialResult(events: readonly TrialEvent[], ending: ChildEnding): TrialResult {
  const wanted = { properties: [], metrics: [], clusters: [], foreignFunctions: [], hostEnv: [] };
  const lists: Record<keyof TrialWanted, string[]> = wanted;
  const logs: TrialLog[] = [];
  const unknowable: string[] = [];
  const endsAt = events.findIndex(event => event.kind === 'end');
  const [before, after] = endsAt < 0 ? [events, []] : [events.slice(0, endsAt), events.slice(endsAt + 1)];
  for (const event of before) {
    if (event.kind === 'log') logs.push({ level: event.level, message: event.message });
    else if (event.kind === 'want') lists[WANTED[event.what]].push(event.name);
    else if (event.kind === 'unknowable') unknowable.push(event.text);
  }
  const end = events.find(event => event.kind === 'end');
  const found = end === undefined ? judgeEnding(events, ending) : judgeEnd(end);
  const isDoubtful = unknowable.length > 0 && (found.outcome === 'refused' || found.outcome === 'trapped');
  return {
    outcome: isDoubtful ? 'unsure' : found.outcome,
    reason: found.reason,
    logs,
    hasMoreLogs: before.some(event => event.kind === 'more-logs'),
    tookMs: end?.tookMs ?? (ending.isTimedOut ? ending.limitMs : 0),
    wanted,
    unknowable,
    leaving: found.outcome === 'ok' ? judgeLeaving(after, ending) : '',
  };
}

/** A run that did not come about. */
export function toNotRun(reason: string): TrialResult {
  return toTrialResult([], {
    isTimedOut: false,
    exitCode: null,
    signal: null,
    complaint: reason,
    limitMs: 0,
  });
}

type Found = Pick<TrialResult, 'outcome' | 'reason'>;

function judgeEnd({ outcome, reason, memoryPages }: TrialEvent & { readonly kind: 'end' }): Found {
  if (outcome === 'trapped' && memoryPages >= LARGE_PAGES)
    return {
      outcome: 'out-of-memory',
      reason: `it had taken ${Math.round(memoryPages / 16)} MiB of memory (${reason})`,
    };
  return { outcome, reason };
}

/** Of what was told after the end; the plugin's last words are the best explanation. */
function judgeLeaving(events: readonly TrialEvent[], { isTimedOut }: ChildEnding): string {
  const left = events.find(event => event.kind === 'left');
  const last = events.findLast(event => event.kind === 'call')?.name ?? 'the run';
  const reason =
    left?.reason ?? (isTimedOut ? `${last} does not end` : `${last} ends the engine that runs it`);
  const words = events.findLast(event => event.kind === 'log')?.message;
  return reason === '' || words === undefined ? reason : `${reason}: "${words}"`;
}

/** A child that told no end. */
function judgeEnding(events: readonly TrialEvent[], ending: ChildEnding): Found {
  const { isTimedOut, signal, exitCode, complaint, limitMs } = ending;
  const last = events.findLast(event => event.kind === 'call')?.name ?? 'the compilation';
  if (isTimedOut)
    return { outcome: 'timed-out', reason: `${last} did not end within ${Math.round(limitMs / 100) / 10} s` };
  const hasBegun = events.some(event => event.kind === 'ready');
  if (hasBegun && signal === 'SIGSEGV')
    return { outcome: 'trapped', reason: `${last} crashed the engine that runs Wasm` };
  // V8 ends its process where it gets no memory, and so does the system.
  if (hasBegun && (signal !== null || exitCode !== 0))
    return { outcome: 'out-of-memory', reason: `${last} took more memory than a trial gives` };
  const how = signal ?? `exit code ${exitCode}`;
  return { outcome: 'not-run', reason: complaint === '' ? `what ran it ended with ${how}` : complaint };
}
