import type { Kind } from './record-kinds.ts';
import { type Segment, type SegmentChange, type SegmentEntry, toSegment } from './segment.ts';
import type { Stored } from './store.ts';

/** A record in memory. */
export interface ObservedRecord {
  readonly kind: Kind;
  readonly key: string;
  /** undefined: it is gone, or was never there. */
  stored: Stored<unknown> | undefined;
  /** Where its newest entry is, a deletion included; undefined: it never had one. */
  segment: HeldSegment | undefined;
  /** Of that entry, in characters: what the entries of its segment have on average. */
  size: number;
  /** It is among those that are read. */
  isListed: boolean;
  /** Where it is in the list of its kind that was made last. */
  place: number;
  /** Of the plan that it was in last. */
  round: number;
}

/** A segment of the engine, without its texts: the values are in memory once, in the records. */
export interface HeldSegment {
  readonly sequence: number;
  /** Whose entries it has; those whose newest entry is elsewhere by now are dead. */
  readonly records: readonly ObservedRecord[];
  /** In characters, with what a segment takes beside its entries. */
  readonly size: number;
  /** Of it what the newest entries of records that are there take. */
  live: number;
}

/** What a record becomes. */
export interface Entry extends SegmentEntry {
  readonly record: ObservedRecord;
}

export interface SegmentBounds {
  /** A segment is full at so many characters: what is rewritten at once is no more than one of them. */
  readonly segmentSize: number;
  /** Held in any case, in characters: a small store need not compact at every turn. */
  readonly floor: number;
}

export interface SegmentPlan {
  readonly change: SegmentChange;
  readonly drafts: readonly Draft[];
  /** Characters of the entries that are rewritten. */
  readonly rewritten: number;
}

interface Draft {
  readonly segment: Segment;
  readonly entries: readonly Entry[];
  /** Of the entries, in characters. */
  readonly size: number;
}

const BOUNDS: SegmentBounds = { segmentSize: 256 * 1024, floor: 256 * 1024 };
/** What is held may be so many times what is live: then no more is rewritten than was newly written. */
const HELD_TO_LIVE = 2;
/** Made to text together; more than fit into a segment are made again, in as many parts as are needed. */
const AT_ONCE = 1024;
/** What a segment takes beside its entries, about. */
export const SEGMENT_SIZE = 200;

/**
 * The segments that are held, oldest first, and what is to become of them. Each transaction adds segments. When too much
 * of what is held is dead the oldest go, in the same transaction, and what is live in them is written again with the
 * revisions that it has. A deletion goes with its segment: what it hides was in older ones, and they have gone before.
 *
 * Rewriting is paced. All of it together is no more than what was newly written since the start; a transaction rewrites
 * no more than it writes, and one segment. So a change of one node costs the same in a large fleet, and what is held
 * stays below about three times what is live, and the floor.
 */
export class SegmentLog {
  readonly #bounds: SegmentBounds;
  readonly #segments: HeldSegment[];
  #sequence: number;
  #held = 0;
  #live = 0;
  /** Characters that may be rewritten: as many were written. */
  #credit = 0;

  constructor(segments: readonly HeldSegment[] = [], bounds: SegmentBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#segments = [...segments];
    this.#sequence = segments.at(-1)?.sequence ?? 0;
    for (const { size, live } of segments) {
      this.#held += size;
      this.#live += live;
    }
  }

  /** Changes nothing. No two entries are about the same record; `round` is noted in each of theirs, and in no other. */
  plan(entries: readonly Entry[], round: number): SegmentPlan {
    const fresh = this.#draft(entries, this.#sequence);
    const added = sum(fresh);
    const { droppedTo, live } = added === 0 ? { droppedTo: 0, live: [] } : this.#compact(added, round);
    const again = this.#draft(live, this.#sequence + fresh.length);
    const drafts = [...fresh, ...again];
    const change = { added: drafts.map(({ segment }) => segment), droppedTo };
    return { change, drafts, rewritten: sum(again) };
  }

  /** What was planned last is durable. */
  adopt({ change, drafts, rewritten }: SegmentPlan): void {
    let dropped = 0;
    for (const segment of this.#segments) {
      if (segment.sequence > change.droppedTo) break;
      this.#held -= segment.size;
      dropped += 1;
    }
    if (dropped > 0) this.#segments.splice(0, dropped);
    for (const draft of drafts) this.#hold(draft);
    this.#credit += sum(drafts) - 2 * rewritten;
  }

  /** `after`: the sequence of the segment before. */
  #draft(entries: readonly Entry[], after: number, atOnce = AT_ONCE): readonly Draft[] {
    const drafts: Draft[] = [];
    for (let first = 0; first < entries.length; first += atOnce) {
      const some = entries.slice(first, first + atOnce);
      const sequence = after + drafts.length;
      const segment = toSegment(sequence + 1, some);
      const size = toSize(segment);
      const parts = Math.min(Math.ceil(size / this.#bounds.segmentSize), some.length);
      if (parts < 2) drafts.push({ segment, entries: some, size });
      else drafts.push(...this.#draft(some, sequence, Math.ceil(some.length / parts)));
    }
    return drafts;
  }

  /** Which of the oldest segments go, and what is live in them. */
  #compact(added: number, round: number): { droppedTo: number; live: readonly Entry[] } {
    const enough = HELD_TO_LIVE * this.#live + this.#bounds.floor;
    const credit = this.#credit + added;
    const live: Entry[] = [];
    let droppedTo = 0;
    let spent = 0;
    let held = this.#held + added;
    for (const segment of this.#segments) {
      if (held <= enough || spent + segment.live > credit || (segment.live > 0 && spent > added)) break;
      held -= segment.size - segment.live;
      spent += segment.live;
      droppedTo = segment.sequence;
      if (segment.live === 0) continue;
      for (const record of segment.records)
        if (record.segment === segment && record.stored !== undefined && record.round !== round)
          live.push({ kind: record.kind, key: record.key, stored: record.stored, record });
    }
    return { droppedTo, live };
  }

  #hold({ segment: { sequence }, entries, size }: Draft): void {
    const records = entries.map(({ record }) => record);
    const segment: HeldSegment = { sequence, records, size: size + SEGMENT_SIZE, live: 0 };
    const each = size / entries.length;
    for (const { record, stored } of entries) {
      if (record.stored !== undefined && record.segment !== undefined) {
        record.segment.live -= record.size;
        this.#live -= record.size;
      }
      record.segment = segment;
      record.size = each;
      record.stored = stored;
      if (stored === undefined) continue;
      segment.live += record.size;
      this.#live += record.size;
    }
    this.#segments.push(segment);
    this.#sequence = sequence;
    this.#held += segment.size;
  }
}

/** Of the entries of a segment, in characters. */
export function toSize({ heads, values }: Segment): number {
  return heads.length + values.length;
}

function sum(drafts: readonly Draft[]): number {
  return drafts.reduce((total, { size }) => total + size, 0);
}
