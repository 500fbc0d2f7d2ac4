/** One server-sent event, as the WHATWG HTML standard parses it (section 9.2.6). */
export interface ServerSentEvent {
  /** Of the last event that had one: what a reconnect sends back. */
  readonly id: string;
  /** `message` where none was named. */
  readonly type: string;
  readonly data: string;
}

/** Text in pieces to events. One parser a connection; a piece may end anywhere, also within a line. */
export class EventStreamParser {
  #rest = '';
  #id: string;
  #type = '';
  #data: string[] = [];

  /** `lastId`: what the connection before this one ended with. */
  constructor(lastId = '') {
    this.#id = lastId;
  }

  push(text: string): readonly ServerSentEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.map(line => this.#readLine(line)).filter(event => event !== undefined);
  }

  #readLine(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    // A line that begins with a colon is a comment: the heartbeat.
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const [type, data] = [this.#type || 'message', this.#data];
    this.#type = '';
    this.#data = [];
    return data.length === 0 ? undefined : { id: this.#id, type, data: data.join('\n') };
  }
}
