import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { type Fault, toMessage } from './model/error.ts';
import { SETTINGS, type SettingName } from './settings.ts';

export type ConfigFlags = Readonly<
  Partial<Record<SettingName | 'config', string | readonly string[] | undefined>>
>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that are documents: a file, or in attache.yaml the document itself. */
const DOCUMENTS: readonly string[] = ['registries', 'signatures'];

/** Settings by name, from wherever they were given. */
export interface Sources {
  /** As it was given: a flag's or variable's text, or any value of the file. */
  raw(name: SettingName): unknown;
  one(name: SettingName): string | undefined;
  many(name: SettingName): readonly string[];
}

/** Flags win over the environment, which wins over the file; `faults` gets what is wrong with the file. */
export function readSources(flags: ConfigFlags, env: Environment, faults: Fault[]): Sources {
  const file = readFile(flags, env, faults);
  const raw = (name: SettingName): unknown =>
    flags[name] ?? (env[toVariable(name)] || undefined) ?? file[name] ?? undefined;
  const many = (name: SettingName) =>
    [raw(name) ?? []]
      .flat()
      .flatMap(value => String(value).split(','))
      .map(value => value.trim())
      .filter(value => value !== '');
  return { raw, many, one: name => (raw(name) === undefined ? undefined : String(raw(name)) || undefined) };
}

/** The library is loaded with the first file: an ordinary start reads none. */
const require = createRequire(import.meta.url);

export function parseYaml(text: string): unknown {
  const { parse } = require('yaml') as typeof Yaml;
  return parse(text);
}

function toVariable(name: string): string {
  return `ATTACHE_${name.toUpperCase().replaceAll('-', '_')}`;
}

function readFile(flags: ConfigFlags, env: Environment, faults: Fault[]): Readonly<Record<string, unknown>> {
  const named = flags.config ?? (env.ATTACHE_CONFIG || undefined);
  const path = String(named ?? 'attache.yaml');
  const fault = (message: string, pointer = '') => faults.push({ pointer, message: `${path}: ${message}` });
  let value: unknown;
  try {
    value = parseYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!absent || named !== undefined) fault(toMessage(error));
    return {};
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fault('expected a map of settings');
    return {};
  }
  for (const [key, entry] of Object.entries(value)) {
    if (!SETTINGS.some(setting => setting.name === key)) fault(`${key}: unknown setting`, `/${key}`);
    else if (isMap(entry) && !DOCUMENTS.includes(key)) fault(`${key}: expected a text or a list`, `/${key}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
