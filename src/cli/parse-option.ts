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
