import type { Engine, Row, Write } from '../../src/store/engine.ts';
import { compareKeys } from '../../src/store/key-order.ts';
import type { Kind } from '../../src/store/record-kinds.ts';
import type { Segment, SegmentChange } from '../../src/store/segment.ts';

/**
 * An engine whose contents outlive the store over it, as a file does: a store opened over it again is what a killed
 * process would find. Counts what is written.
 */
export class KeptEngine implements Engine {
  revision = 0;
  readonly digestKey = 'kept';
  readonly #rows = new Map<string, { readonly kind: Kind; readonly row: Row }>();
  readonly #segments: Segment[] = [];
  /** Characters of all segments. */
  held = 0;
  /** The next transaction is refused whole, as by a disk that is full. */
  fails = false;
  /** Of the last transaction: rows and segments that were written, and the characters of the segments. */
  last = { rows: 0, segments: 0, chars: 0 };

  read(kind: Kind, key: string): Row | undefined {
    return this.#rows.get(`${kind}\n${key}`)?.row;
  }

  scan(kind: Kind, prefix: string): readonly Row[] {
    const rows = [...this.#rows.values()].filter(({ kind: other }) => other === kind).map(({ row }) => row);
    return rows.filter(({ key }) => key.startsWith(prefix)).sort((a, b) => compareKeys(a.key, b.key));
  }

  *segments(): Generator<Segment> {
    yield* this.#segments.toReversed();
  }

  apply(revision: number, writes: readonly Write[], { added, droppedTo }: SegmentChange): void {
    if (this.fails) {
      this.fails = false;
      throw new Error('no space left');
    }
    for (const { kind, key, row } of writes) {
      const createdRevision = this.read(kind, key)?.createdRevision ?? row?.createdRevision ?? revision;
      if (row === undefined) this.#rows.delete(`${kind}\n${key}`);
      else this.#rows.set(`${kind}\n${key}`, { kind, row: { ...row, createdRevision } });
    }
    const dropped = this.#segments.filter(({ sequence }) => sequence <= droppedTo);
    this.#segments.splice(0, dropped.length);
    this.#segments.push(...added);
    this.held += count(added) - count(dropped);
    this.last = { rows: writes.length, segments: added.length, chars: count(added) };
    this.revision = revision;
  }

  close(): void {}
}

function count(segments: readonly Segment[]): number {
  return segments.reduce((sum, { heads, values }) => sum + heads.length + values.length, 0);
}
