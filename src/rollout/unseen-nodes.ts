import { isSameList } from '../model/same-list.ts';

/**
 * Nodes that somebody has still to look at: those that changed since he last looked, or all, when what he looks for is
 * another thing than then.
 */
export class UnseenNodes {
  #ids: ReadonlySet<string> = NOBODY;
  /** Made here, where more came before those were looked at. */
  #own: Set<string> | undefined;
  #isAll = true;
  #purpose: readonly unknown[] = [];

  /** `ids` undefined: any node may have changed. They are not changed any more: others note the same. */
  note(ids: ReadonlySet<string> | undefined): void {
    if (ids === undefined) this.#isAll = true;
    if (ids === undefined || this.#isAll || ids.size === 0) return;
    if (this.#ids.size === 0) {
      this.#ids = ids;
      return;
    }
    this.#own ??= new Set(this.#ids);
    for (const id of ids) this.#own.add(id);
    this.#ids = this.#own;
  }

  /** undefined: all of them. The purpose is the same when each of its parts is the same object. */
  list(purpose: readonly unknown[]): ReadonlySet<string> | undefined {
    return this.#isAll || !isSameList(purpose, this.#purpose) ? undefined : this.#ids;
  }

  /** All of them were looked at for this. */
  seen(purpose: readonly unknown[]): void {
    this.#purpose = purpose;
    this.#isAll = false;
    this.#ids = NOBODY;
    this.#own = undefined;
  }
}

const NOBODY: ReadonlySet<string> = new Set();
