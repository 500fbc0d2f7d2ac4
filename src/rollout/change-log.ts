/** How many changes are remembered: a reader that fell behind by more looks at every node once. */
const REMEMBERED = 65_536;

/** The nodes of which something changed, in order, so that who looked at all of them before looks at these alone. */
export class ChangeLog {
  #ids: string[] = [];
  /** Of the first one that is remembered. */
  #first = 0;

  /** Where a reader stands who has seen all. */
  get end(): number {
    return this.#first + this.#ids.length;
  }

  note(id: string): void {
    if (this.#ids.length === REMEMBERED) {
      this.#ids = this.#ids.slice(REMEMBERED / 2);
      this.#first += REMEMBERED / 2;
    }
    this.#ids.push(id);
  }

  /** Ids since then, one as often as it changed; undefined: that is not remembered any more. */
  since(position: number): readonly string[] | undefined {
    return position < this.#first ? undefined : this.#ids.slice(position - this.#first);
  }
}
