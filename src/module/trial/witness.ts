import { LOG_LEVELS, type TrialEvent, type WantedKind } from './trial-protocol.ts';

const MAX_LINES = 50;
const MAX_LINE_CHARS = 2_000;
const MAX_NAMES = 100;
const MAX_NAME_CHARS = 200;

/**
 * Tells what a plugin does while it runs, each thing once and at once: a run that is cut off has told everything up to
 * then. What a plugin can make as long as it likes is cut.
 */
export class Witness {
  readonly #tell: (event: TrialEvent) => void;
  readonly #told = new Set<string>();
  #lines = 0;

  constructor(tell: (event: TrialEvent) => void) {
    this.#tell = tell;
  }

  call(name: string): void {
    this.#tell({ kind: 'call', name });
  }

  log(level: number, text: string): void {
    this.#lines++;
    if (this.#lines === MAX_LINES + 1) this.#tell({ kind: 'more-logs' });
    if (this.#lines > MAX_LINES) return;
    this.#tell({ kind: 'log', level: LOG_LEVELS[level] ?? 'info', message: cut(text, MAX_LINE_CHARS) });
  }

  want(what: WantedKind, name: string): void {
    const event: TrialEvent = { kind: 'want', what, name: cut(name, MAX_NAME_CHARS) };
    this.#once(`${what} ${event.name}`, event);
  }

  /** `text` completes "the trial run could not know: …". */
  unknowable(text: string): void {
    const event: TrialEvent = { kind: 'unknowable', text: cut(text, MAX_NAME_CHARS) };
    this.#once(`? ${event.text}`, event);
  }

  #once(key: string, event: TrialEvent): void {
    // The first unknowable is never lost to a flood of names: it decides between a refusal and none.
    const limit = event.kind === 'unknowable' ? 2 * MAX_NAMES : MAX_NAMES;
    if (this.#told.has(key) || this.#told.size >= limit) return;
    this.#told.add(key);
    this.#tell(event);
  }
}

/** cutText, in the one folder that a child is given. */
function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`;
}
