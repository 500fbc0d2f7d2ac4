import { get } from 'node:http';

const MODULE_URL = /\/v1\/modules\/sha256\/([0-9a-f]{64})\?cap=[0-9a-f]+&tag=[0-9a-f]+/;

/** What the Envoys of a driver have of modules, and fetch; as in peers/cmd/xds-load/fetch.go. */
export class ModuleLoader {
  readonly #address: string;
  /** `<stream> <digest>` of those that came whole. */
  readonly #here = new Set<string>();
  counts = { misses: 0, fetched: 0, unfetched: 0 };

  /** `HOST:PORT` of the server of modules. */
  constructor(address: string) {
    this.#address = address;
  }

  beginRound(): void {
    this.counts = { misses: 0, fetched: 0, unfetched: 0 };
  }

  /** Whether the stream's Envoy has the module that a response names; if not, it is fetched: every miss makes a GET. */
  has(stream: number, message: Uint8Array): boolean {
    const [path, digest] = MODULE_URL.exec(Buffer.from(message).toString('latin1')) ?? [];
    if (path === undefined) return true;
    const key = `${stream} ${digest}`;
    if (this.#here.has(key)) return true;
    this.counts.misses++;
    this.#fetch(key, path);
    return false;
  }

  #fetch(key: string, path: string): void {
    let isOver = false;
    const end = (isWhole: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (isWhole) this.#here.add(key);
      this.counts[isWhole ? 'fetched' : 'unfetched']++;
    };
    get(`http://${this.#address}${path}`, { agent: false }, response => {
      response.on('end', () => end(response.statusCode === 200 && response.complete));
      response.on('close', () => end(false));
      response.resume();
    }).on('error', () => end(false));
  }
}
