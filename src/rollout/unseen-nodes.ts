/**
 * Nodes that somebody has still to look at: those that changed since he last looked, or all, when what he looks for is
 * another thing than then.
 */
export class UnseenNodes {
  #ids = new Set<string>();
  #isAll = true;
  #purpose: readonly unknown[] = [];

  /** `ids` undefined: any node may have changed. */
  note(ids: readonly string[] | undefined): void {
    if (ids === undefined) this.#isAll = true;
    else if (!this.#isAll) for (const id of ids) this.#ids.add(id);
  }

  /** undefined: all of them. The purpose is the same when each of its parts is the same object. */
  list(purpose: readonly unknown[]): ReadonlySet<string> | undefined {
    const isSame =
      purpose.length === this.#purpose.length &&
      purpose.every((part, index) => part === this.#purpose[index]);
    return this.#isAll || !isSame ? undefined : this.#ids;
  }

  /** All of them were looked at for this. */
  seen(purpose: readonly unknown[]): void {
    this.#purpose = purpose;
    this.#isAll = false;
    if (this.#ids.size > 0) this.#ids = new Set();
  }
}
