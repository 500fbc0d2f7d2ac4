/** Ids by a time at which something is due for them. Many of them share few times. */
export class Alarms {
  readonly #ids = new Map<number, Set<string>>();

  /** Infinity: never. */
  set(at: number, id: string): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const ids = this.#ids.get(at);
    if (ids === undefined) this.#ids.set(at, new Set([id]));
    else ids.add(id);
  }

  clear(at: number, id: string): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const ids = this.#ids.get(at);
    if (ids?.delete(id) === true && ids.size === 0) this.#ids.delete(at);
  }

  times(): Iterable<number> {
    return this.#ids.keys();
  }

  /** Those whose time has come. */
  until(now: number): readonly string[] {
    const due: string[] = [];
    for (const [at, ids] of this.#ids) if (at <= now) due.push(...ids);
    return due;
  }
}
