import type { FlatMessage, HeaderPairs, RunCall, RunStep } from '../../../model/plugin-run.ts';
import { HeaderList } from './header-map.ts';

/** One direction of an exchange. */
export type Side = 'request' | 'response';

/** An answer of the plugin itself. */
export interface LocalResponse {
  readonly status: number;
  readonly details: string;
  readonly body: string;
  readonly headers: HeaderPairs;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** A message on its way through the plugin. */
export class PassingMessage {
  readonly before: FlatMessage;
  readonly headers: HeaderList;
  readonly trailers: HeaderList;
  /** Parts of the body that are still to come. */
  parts: readonly Buffer[];
  /** Whether they can be seen now: until they have gone on. */
  hasHeaders = false;
  hasTrailers = false;
  /** Of the body: what the plugin looks at or held back, and what went on to whoever is next. */
  buffer: Buffer = NOTHING;
  gone: Buffer = NOTHING;
  /** The plugin said that it may go on. */
  isResumed = false;

  constructor({ headers, body, trailers }: RunStep['request']) {
    this.before = { headers, body: body.join(''), trailers };
    this.headers = new HeaderList(headers);
    this.trailers = new HeaderList(trailers);
    this.parts = body.map(part => Buffer.from(part));
  }

  get after(): FlatMessage {
    const { headers, gone, trailers } = this;
    return { headers: headers.pairs, body: gone.toString(), trailers: trailers.pairs };
  }

  /** What the plugin looked at goes on. */
  letGo(): void {
    this.gone = Buffer.concat([this.gone, this.buffer]);
    this.buffer = NOTHING;
  }
}

/** One request and its response, as the host keeps them for the plugin's context. */
export class HttpStream {
  readonly id: number;
  readonly step: RunStep;
  readonly request: PassingMessage;
  response: PassingMessage | undefined;
  local: LocalResponse | undefined;
  /** Which message carries `local` through the plugin; undefined: none does. */
  localFor: PassingMessage | undefined;
  isReset = false;
  /** While it is logged all headers can be read, and none written. */
  isLogged = false;
  /** What the plugin set, by path. */
  readonly state = new Map<string, Buffer>();
  readonly calls: RunCall[] = [];
  readonly unknownProperties = new Set<string>();

  constructor(id: number, step: RunStep) {
    this.id = id;
    this.step = step;
    this.request = new PassingMessage(step.request);
  }

  side(side: Side): PassingMessage | undefined {
    return side === 'request' ? this.request : this.response;
  }
}
