import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toMessage } from '../model/error.ts';
import type { RandomHex } from '../model/ports.ts';
import { writeFileDurably } from './durable-file.ts';
import { ModuleError } from './module-error.ts';

/** How a value stands in its file; `parse` gets undefined where there is no file yet. */
export interface FileFormat<T> {
  parse(text: string | undefined): T;
  format(value: T): string;
}

interface Change<T> {
  readonly edit: (value: T) => T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A value in one file that is replaced whole, so that a crash leaves the old one or the new one. Changes that come
 * while a write is under way go into the next one together. Faults of the disk are ModuleError `cache-failed`.
 */
export class RegistryFile<T extends object> {
  readonly #path: string;
  readonly #random: RandomHex;
  readonly #format: FileFormat<T>;
  #value: Promise<T> | undefined;
  #waiting: Change<T>[] = [];
  #writing = false;

  constructor(path: string, random: RandomHex, format: FileFormat<T>) {
    this.#path = path;
    this.#random = random;
    this.#format = format;
  }

  /** What is durable. */
  read(): Promise<T> {
    this.#value ??= this.#load();
    return this.#value;
  }

  /** Resolves once the edited value is durable; an edit that gives the same value writes nothing. */
  change(edit: (value: T) => T): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ edit, resolve, reject });
    });
    if (!this.#writing) void this.#writeWaiting();
    return done;
  }

  async #writeWaiting(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const before = await this.read();
        const after = batch.reduce<T>((value, { edit }) => edit(value), before);
        if (after !== before) await this.#write(after);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }

  async #write(value: T): Promise<void> {
    try {
      await writeFileDurably(this.#path, this.#format.format(value), this.#random(8));
    } catch (cause) {
      throw failed(`${this.#path} could not be written`, cause);
    }
    this.#value = Promise.resolve(value);
  }

  async #load(): Promise<T> {
    try {
      await deleteUnfinished(this.#path);
      return this.#format.parse(await readIfThere(this.#path));
    } catch (cause) {
      this.#value = undefined;
      throw failed(`${this.#path} could not be read`, cause);
    }
  }
}

/** What a crash left of a write that never took place. */
async function deleteUnfinished(path: string): Promise<void> {
  const directory = dirname(path);
  const names = (await readdir(directory)).filter(
    name => name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp'),
  );
  for (const name of names) await rm(join(directory, name), { force: true });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function failed(what: string, cause: unknown): ModuleError {
  return new ModuleError('cache-failed', `${what}: ${toMessage(cause)}`, {
    cause,
    hint: 'Check space and permissions of the data directory, or bring the file back from a backup.',
  });
}
