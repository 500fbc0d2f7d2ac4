import http2 from 'node:http2';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import { toFrame } from '../../src/xds/grpc-frame.ts';
import { until } from '../../test/harness/wait.ts';
import { ModuleLoader } from './module-loader.ts';
import { encodeFleetRequest, readAnswer, unframe } from './node-messages.ts';
import { MISS_TEXT, type Scenario, type Side } from './side.ts';

/** Streams that wait for their first resource at a time. */
const PARALLEL = 256;
const LIMIT_MS = 120_000;
/** Refusals of a stream and push, after which it accepts; as in xds-load. */
const MOST_REFUSALS = 3;

/** Envoys that ask for one resource each, on connections of their own, and answer what they get. */
export class NodeFleet {
  readonly #side: Pick<Side, 'address' | 'resource'>;
  readonly #scenario: Scenario;
  readonly #versions = new Map<number, string>();
  readonly #accepted = new Map<number, string>();
  readonly #refused = new Map<number, readonly string[]>();
  readonly #arrivals = new Map<number, number>();
  readonly lost: Record<string, number> = {};
  counts = { repeats: 0, again: 0, nacks: 0, bytes: 0 };
  #began = 0;

  readonly #modules: ModuleLoader | undefined;
  readonly #see: (message: Uint8Array) => void;
  readonly #sessions: http2.ClientHttp2Session[] = [];

  /** `see` is shown every response. */
  constructor(
    side: Pick<Side, 'address' | 'resource' | 'modules'>,
    scenario: Scenario,
    see: (message: Uint8Array) => void = () => {},
  ) {
    this.#side = side;
    this.#scenario = scenario;
    this.#see = see;
    this.#modules = scenario.fetches ? new ModuleLoader(side.modules ?? '') : undefined;
  }

  /** Streams that have had their first resource. */
  get ready(): number {
    return this.#versions.size;
  }

  get lostCount(): number {
    return Object.values(this.lost).reduce((sum, count) => sum + count, 0);
  }

  /** Of the streams that have this round's version: ms from its beginning. */
  get latencies(): readonly number[] {
    return [...this.#arrivals.values()].sort((a, b) => a - b);
  }

  get arrived(): number {
    return this.#arrivals.size;
  }

  /** Of this round. */
  get fetches(): ModuleLoader['counts'] {
    return this.#modules?.counts ?? { misses: 0, fetched: 0, unfetched: 0 };
  }

  beginRound(): void {
    this.#modules?.beginRound();
    this.#refused.clear();
    this.#arrivals.clear();
    this.counts = { repeats: 0, again: 0, nacks: 0, bytes: 0 };
    this.#began = performance.now();
  }

  /** Opens all streams, some at a time, and resolves when each had its first resource or is lost. */
  async openAll(): Promise<void> {
    const { streams } = this.#scenario;
    const waiting = { everyMs: 1, deadlineMs: LIMIT_MS };
    for (let opened = 0; opened < streams; opened++) {
      const isNext = () => opened - this.ready - this.lostCount < PARALLEL;
      if (!isNext()) await until(isNext, { what: 'answers', ...waiting });
      this.#open(opened);
    }
    const isThere = () => this.ready + this.lostCount >= streams;
    await until(isThere, { what: `${streams} streams`, ...waiting });
  }

  #open(stream: number): void {
    const session = http2.connect(`http://${this.#side.address}`, {
      settings: { initialWindowSize: 16 << 20, enablePush: false },
    });
    this.#sessions.push(session);
    const method = DISCOVERY_METHODS.find(it => it.form === this.#scenario.form && it.typeUrl === undefined);
    const call = session.request({
      ':method': 'POST',
      ':path': method?.path ?? '',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let isOver = false;
    const end = (reason: string) => {
      if (!isOver) this.lost[reason] = (this.lost[reason] ?? 0) + 1;
      isOver = true;
    };
    session.on('error', error => end(error.message));
    call.on('error', error => end(error.message));
    call.on('trailers', trailers => end(`grpc-status ${trailers['grpc-status']}`));
    let unread: Buffer = Buffer.alloc(0);
    call.on('data', (chunk: Buffer) => {
      unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
      for (let message = unframe(unread); message !== undefined; message = unframe(unread)) {
        unread = unread.subarray(message.end);
        call.write(this.#take(stream, message.body));
      }
    });
    call.write(this.#ask(stream, ''));
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Notes a response and gives the answer to it. */
  #take(stream: number, message: Uint8Array): Buffer {
    this.#see(message);
    const { nonce, version } = readAnswer(this.#scenario.form, message);
    if (this.#modules?.has(stream, message) === false) return this.#ask(stream, nonce, MISS_TEXT);
    const before = this.#versions.get(stream);
    this.#versions.set(stream, version);
    if (before !== undefined) this.#note(stream, version !== before, message.length);
    const refused = this.#refused.get(stream) ?? [];
    if (refused.includes(version)) this.counts.again++;
    if (this.#refuses(stream) && this.#arrivals.has(stream) && refused.length < MOST_REFUSALS) {
      this.counts.nacks++;
      this.#refused.set(stream, [...refused, version]);
      return this.#ask(stream, nonce, 'rejected on purpose');
    }
    this.#accepted.set(stream, version);
    return this.#ask(stream, nonce);
  }

  #note(stream: number, isNew: boolean, sizeBytes: number): void {
    if (isNew && this.#began > 0 && !this.#arrivals.has(stream)) {
      this.#arrivals.set(stream, performance.now() - this.#began);
      this.counts.bytes = sizeBytes;
    } else this.counts.repeats++;
  }

  #refuses(stream: number): boolean {
    const { refusing } = this.#scenario;
    return refusing > 0 && stream % Math.round(1 / refusing) === 0;
  }

  #ask(stream: number, nonce: string, problem?: string): Buffer {
    const version = this.#accepted.get(stream) ?? '';
    const named = { resource: this.#side.resource, node: `node-${stream + 1}` };
    return toFrame(encodeFleetRequest(this.#scenario, { ...named, nonce, version, problem }));
  }
}
