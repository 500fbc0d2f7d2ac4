import { join } from 'node:path';
import type { RandomHex } from '../model/ports.ts';
import { RegistryFile } from './registry-file.ts';

/** When each blob that no manifest of a repository needs to name came into it, ms, by repository and digest. */
export type LooseBlobs = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** A blob that no manifest named for so long is not the repository's any more. */
export const LOOSE_MS = 7 * 86_400_000;

/** `registry-blobs.json` of the module directory: what was pushed or mounted lately, and what deleted manifests named. */
export function openLooseBlobs(directory: string, random: RandomHex): RegistryFile<LooseBlobs> {
  return new RegistryFile(join(directory, 'registry-blobs.json'), random, {
    parse: text => parse(text),
    format: blobs => `${JSON.stringify(toPlain(blobs))}\n`,
  });
}

export function isLoose(blobs: LooseBlobs, repository: string, digest: string, now: number): boolean {
  const since = blobs.get(repository)?.get(digest);
  return since !== undefined && now - since < LOOSE_MS;
}

/** Whether it came so lately that it is worth no write that it came again. */
export function cameLately(blobs: LooseBlobs, repository: string, digest: string, now: number): boolean {
  const since = blobs.get(repository)?.get(digest);
  return since !== undefined && now - since < LOOSE_MS / 2;
}

/** Those that are too old leave on the way. */
export function addLoose(
  blobs: LooseBlobs,
  repository: string,
  digests: readonly string[],
  now: number,
): LooseBlobs {
  const kept = [...blobs].map(
    ([name, held]) => [name, new Map([...held].filter(([, since]) => now - since < LOOSE_MS))] as const,
  );
  const after = new Map(kept.filter(([, held]) => held.size > 0));
  const added = digests.map(digest => [digest, now] as const);
  return after.set(repository, new Map([...(after.get(repository) ?? []), ...added]));
}

export function deleteLoose(blobs: LooseBlobs, repository: string, digest: string): LooseBlobs {
  const held = blobs.get(repository);
  if (held?.has(digest) !== true) return blobs;
  const rest = new Map(held);
  rest.delete(digest);
  const after = new Map(blobs).set(repository, rest);
  if (rest.size === 0) after.delete(repository);
  return after;
}

type Plain = Readonly<Record<string, Readonly<Record<string, number>>>>;

function toPlain(blobs: LooseBlobs): Plain {
  return Object.fromEntries([...blobs].map(([repository, held]) => [repository, Object.fromEntries(held)]));
}

function parse(text: string | undefined): LooseBlobs {
  const plain = (text === undefined ? {} : JSON.parse(text)) as Plain;
  return new Map(
    Object.entries(plain).map(([repository, held]) => [repository, new Map(Object.entries(held))]),
  );
}
