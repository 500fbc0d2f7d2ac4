import { InvalidArgumentError } from 'commander';

/** A TCP port from 1 to 65535, for commander. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('expected a port, 1 to 65535');
  return port;
}

/** `k=v`, added to those before it. */
export function parseLabel(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('expected KEY=VALUE');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** `a,b` added to those before it. */
export function parseNames(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map(name => name.trim());
  return [...before, ...names.filter(name => name !== '')];
}

/** One of a few words. */
export function parseWord<T extends string>(...words: readonly T[]): (text: string) => T {
  return text => {
    const word = words.find(one => one === text);
    if (word === undefined) throw new InvalidArgumentError(`expected ${words.join(' or ')}`);
    return word;
  };
}

/** `30s`, `10m`, `1h30m`, `2d` in ms: as documents write durations, days too. */
export function parseDuration(text: string): number {
  const match = /^(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected a duration such as 30s, 10m or 1h30m');
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = match;
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** `k=v,k2=v2`, added to those before it. */
export function parseSelector(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return text.split(',').reduce<Record<string, string>>((all, pair) => parseLabel(pair, all), { ...before });
}

/** A count, 1 or more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError('expected a whole number, 1 or more');
  return count;
}

/** `1.36.2,1.40.0` or `1.40`, added to those before it. */
export function parseVersions(text: string, before: readonly string[] = []): readonly string[] {
  const versions = parseNames(text);
  if (versions.length === 0 || !versions.every(version => /^\d+\.\d+(\.\d+)?$/.test(version)))
    throw new InvalidArgumentError('expected a release of Envoy such as 1.40.0');
  return [...before, ...versions];
}
