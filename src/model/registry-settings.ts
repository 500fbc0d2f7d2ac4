import { toHostName } from './signature-policy.ts';

/** How registries are reached: one entry a host or a part of one. */
export interface RegistryEntry {
  /** `HOST[:PORT][/PATH]`, the default registry as `docker.io`: what begins with it is meant. */
  readonly prefix: string;
  /** `HOST[:PORT][/PATH]` in the order in which they are asked, each instead of the prefix; the registry itself is asked last. */
  readonly mirrors: readonly string[];
  /** Spoken to over plain HTTP. Of a host alone. */
  readonly insecure: boolean;
  /** PEM certificates that are trusted for it besides those of the system. Of a host alone. */
  readonly ca?: string;
}

export type RegistrySettings = readonly RegistryEntry[];

export const NO_REGISTRY_SETTINGS: RegistrySettings = [];

/** `HOST[:PORT]` of `HOST[:PORT][/PATH]`. */
export function hostOf(prefix: string): string {
  return prefix.split('/')[0] ?? '';
}

/**
 * What stands instead of a repository, `HOST/REPOSITORY` each, in the order in which they are asked: the mirrors of the
 * longest prefix that it begins with, part by part.
 */
export function listMirrors(
  settings: RegistrySettings,
  { host, repository }: { readonly host: string; readonly repository: string },
): readonly string[] {
  const name = toComparable(`${host}/${repository}`);
  const [entry] = settings
    .filter(({ prefix, mirrors }) => mirrors.length > 0 && `${name}/`.startsWith(`${toComparable(prefix)}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  if (entry === undefined) return [];
  const rest = name.slice(toComparable(entry.prefix).length);
  return entry.mirrors.map(mirror => mirror + rest).filter(mirror => mirror.includes('/'));
}

function toComparable(name: string): string {
  return toHostName(hostOf(name)) + name.slice(hostOf(name).length);
}

/** Hosts spoken to over plain HTTP. */
export function listInsecure(settings: RegistrySettings): readonly string[] {
  return settings.filter(({ insecure }) => insecure).map(({ prefix }) => prefix);
}

/** Hosts that whoever runs the server named as mirrors, or as reached in their own way: they may be private. */
export function listTrusted(settings: RegistrySettings): readonly string[] {
  return settings.flatMap(({ prefix, mirrors, insecure, ca }) => [
    ...mirrors.map(hostOf),
    ...(insecure || ca !== undefined ? [prefix] : []),
  ]);
}
