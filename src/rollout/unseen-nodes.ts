import { isSameList } from '../model/same-list.ts';

/**
 * Nodes that somebody has still to look at: those that changed since he last looked, or all, when what he looks for is
 * another thing than then.
 */
export class UnseenNodes {
  #ids: readonly string[] = NOBODY;
  /** Made here, where more came before those were looked at. */
  #own: string[] | undefined;
  #isAll = true;
  #purpose: readonly unknown[] = [];

  /** `ids` undefined: any node may have changed. They are not changed any more: others note the same. */
  note(ids: readonly string[] | undefined): void {
    if (ids === undefined || this.#ids.length + ids.length > MOST) this.#isAll = true;
    if (ids === undefined || this.#isAll || ids.length === 0) return;
    if (this.#ids.length === 0) {
      this.#ids = ids;
      return;
    }
    this.#own ??= [...this.#ids];
    for (const id of ids) this.#own.push(id);
    this.#ids = this.#own;
  }

  /** One as often as it changed; undefined: all of them. The purpose is the same when each of its parts is the same object. */
  list(purpose: readonly unknown[]): readonly string[] | undefined {
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

const NOBODY: readonly string[] = [];
/** With more it is as well to look at every node once. */
const MOST = 65_536;
