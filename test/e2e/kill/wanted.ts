import { buildPlugin } from '../../../plugins/build.ts';
import type { AttacheProcess } from '../../harness/attache-process.ts';
import {
  buildStamp,
  type FixtureModule,
  padTo,
  toStampModule,
  withSeed,
} from '../../harness/fixture-modules.ts';
import type { Action } from './story.ts';

/** A plugin document of the story, and what it does to an answer. */
export interface Wish {
  readonly text: string;
  readonly url: string;
  readonly sha256: string;
  /** As `x-stamp-module` says it. */
  readonly module: string;
  /** The Envoy will refuse it. */
  readonly isBad: boolean;
  /** It was refused before, so that it has to be asked for once more. */
  readonly isAgain?: boolean;
}

/** All that was applied, and must never be lost. */
export interface Wanted {
  readonly main: Wish;
  /** What serves for `main`: itself, or the last one before it that is not bad. */
  readonly good: Wish;
  readonly second: Wish | undefined;
}

export const MAIN = 'stamp';
export const SECOND = 'second';

/**
 * At DOWNLOAD_BYTES_PER_SECOND long enough in the download for any instant of the story, and more than what lies in
 * the buffers of a connection: Attaché is still sending when it is killed.
 */
const BIG_BYTES = 8_000_000;
export const DOWNLOAD_BYTES_PER_SECOND = 3_500_000;

/** Makes the documents of a story; each module has a digest of its own, so that no code cache knows it. */
export class WishMaker {
  readonly #attache: AttacheProcess;
  /** Tells the modules of this run from those of every other. */
  readonly #run: string;
  #count = 0;
  #lastBad: Wish | undefined;

  constructor(attache: AttacheProcess, run: string) {
    this.#attache = attache;
    this.#run = run;
  }

  async first(): Promise<Wanted> {
    const main = await this.#withModule('m');
    return { main, good: main, second: undefined };
  }

  /** What is wanted after an action. */
  async after(wanted: Wanted, action: Action): Promise<Wanted> {
    switch (action) {
      case 'bad module again':
        return {
          ...wanted,
          main: this.#lastBad ? { ...this.#lastBad, isAgain: true } : await this.#bad(wanted.good),
        };
      case 'reconfigure': {
        const main = { ...wanted.good, text: this.#text('m') };
        return { ...wanted, main, good: main };
      }
      case 'new module':
      case 'big module': {
        const main = await this.#withModule('m', action === 'big module' ? BIG_BYTES : undefined);
        return { ...wanted, main, good: main };
      }
      case 'bad module':
        return { ...wanted, main: await this.#bad(wanted.good) };
      case 'second plugin':
        return { ...wanted, second: wanted.second === undefined ? await this.#withModule('s') : undefined };
      default:
        return action satisfies never;
    }
  }

  async #withModule(letter: string, sizeBytes?: number): Promise<Wish> {
    const text = this.#text(letter);
    const seed = `${this.#run}.${text}`;
    const stamp = await buildStamp(seed);
    const module = sizeBytes === undefined ? stamp : padTo(stamp.bytes, sizeBytes, seed);
    return { text, ...(await this.#offer(module)), module: toStampModule(seed), isBad: false };
  }

  async #bad(good: Wish): Promise<Wish> {
    const text = this.#text('b');
    const refusing = withSeed((await buildPlugin('faulty/refuses-config')).bytes, `${this.#run}.${text}`);
    this.#lastBad = { ...good, text, ...(await this.#offer(refusing)), isBad: true };
    return this.#lastBad;
  }

  async #offer(module: FixtureModule) {
    return { url: await this.#attache.offer(module), sha256: module.sha256 };
  }

  #text(letter: string): string {
    return `${letter}${++this.#count}`;
  }
}

/** How an answer shows which plugins worked on it, in any order. */
export function toSignature({ good, second }: Wanted): string {
  const parts = [good, second].flatMap(wish => (wish ? [`${wish.text}@${wish.module}`] : []));
  return parts.sort().join(' ');
}

/** The same, of an answer; empty: no plugin worked on it. */
export function signatureOf(headers: { readonly [name: string]: string | string[] | undefined }): string {
  const split = (name: string) => String(headers[name] ?? '').split(', ');
  const modules = split('x-stamp-module');
  if (headers['x-stamp'] === undefined) return '';
  return split('x-stamp')
    .map((text, i) => `${text}@${modules[i]}`)
    .sort()
    .join(' ');
}
