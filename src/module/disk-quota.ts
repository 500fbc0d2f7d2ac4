import { toSizeText } from '../model/quantity-text.ts';
import { ModuleError } from './module-error.ts';

/** Deletes what can be spared, so that so many bytes fit where possible; answers in a phrase what the rest is needed for. */
export type MakeRoom = (bytes: number) => Promise<string>;

/** How many bytes a directory may take. Bytes are taken before they are written and given back once they are gone. */
export class DiskQuota {
  readonly limitBytes: number;
  #usedBytes = 0;
  #makeRoom: MakeRoom = async () => 'nothing of it may be deleted';
  #making: Promise<string> | undefined;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Who is asked when bytes do not fit. */
  onFull(makeRoom: MakeRoom): void {
    this.#makeRoom = makeRoom;
  }

  /** Throws ModuleError `cache-full`, and then nothing is taken. */
  async take(bytes: number): Promise<void> {
    if (!this.#fits(bytes)) {
      this.#making ??= this.#makeRoom(bytes).finally(() => {
        this.#making = undefined;
      });
      const needed = await this.#making;
      if (!this.#fits(bytes)) throw this.#full(needed);
    }
    this.#usedBytes += bytes;
  }

  /** For bytes that are there already, whatever the limit. */
  count(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.limitBytes;
  }

  #full(needed: string): ModuleError {
    const [used, limit] = [this.#usedBytes, this.limitBytes].map(toSizeText);
    return new ModuleError('cache-full', `the module directory is full: ${used} of ${limit}; ${needed}`, {
      hint: 'Delete plugins or pushed artifacts, or raise the server’s --module-quota.',
    });
  }
}
