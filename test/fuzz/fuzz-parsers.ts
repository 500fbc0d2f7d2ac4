import { parseSince } from '../../src/api/event-since.ts';
import { parseJsonBody } from '../../src/api/json-body.ts';
import { readPlanRequest } from '../../src/api/plan-request.ts';
import { parseExpiry } from '../../src/model/api-token.ts';
import { convertDocuments } from '../../src/model/convert/convert-documents.ts';
import { parseDocument } from '../../src/model/document.ts';
import { AttacheError } from '../../src/model/error.ts';
import { matchesLabels, parseLabelSelector } from '../../src/model/label-selector.ts';
import { mergePatch } from '../../src/model/merge-patch.ts';
import { parseModuleReference } from '../../src/model/module-reference.ts';
import { parseNodeGroupDocument } from '../../src/model/node-group-document.ts';
import { parsePluginDocument } from '../../src/model/plugin-document.ts';
import type { JsonValue } from '../../src/model/plugin-spec.ts';
import { parsePullSecretDocument } from '../../src/model/pull-secret-document.ts';
import { parseRegistrySettings } from '../../src/model/registry-settings-document.ts';
import { parseResourceDocument } from '../../src/model/resource-document.ts';
import { parseSignaturePolicy } from '../../src/model/signature-policy-document.ts';
import { Chance } from '../simulation/chance.ts';
import { mutate, STRANGE_TEXTS, toBrokenText } from './mutate.ts';

const NO_PEM = 'what a file holds that is no PEM';

/** What reads a document, or a text in one. It answers, or throws an AttacheError; nothing else. */
const PARSERS: Readonly<Record<string, (value: unknown, chance: Chance) => unknown>> = {
  document: parseDocument,
  plugin: parsePluginDocument,
  resource: parseResourceDocument,
  pullSecret: parsePullSecretDocument,
  nodeGroup: parseNodeGroupDocument,
  plan: readPlanRequest,
  convert: value => convertDocuments(Array.isArray(value) ? value : [value]),
  mergePatch: (value, chance) => mergePatch(value as JsonValue, mutate(value, chance) as JsonValue),
  registries: value => parseRegistrySettings(value, () => NO_PEM),
  signatures: value => parseSignaturePolicy(value, () => NO_PEM),
  body: (value, chance) => parseJsonBody(toText(value, chance)),
  secretBody: (value, chance) => parseJsonBody(toText(value, chance), true),
  moduleUrl: (_, chance) => parseModuleReference(toWords(chance)),
  since: (_, chance) => parseSince(toWords(chance), 1_000_000),
  expiry: (_, chance) => parseExpiry(toWords(chance)),
  labels: (_, chance) => matchesLabels(parseLabelSelector(toWords(chance)) ?? [], { a: 'b' }),
};

export const PARSER_NAMES: readonly string[] = Object.keys(PARSERS);

/** One input that was not borne, and the seed that makes it again. */
export interface Fall {
  readonly parser: string;
  readonly seed: number;
  readonly what: string;
}

/** Feeds parsers in turn; tells of each that threw what is no AttacheError, or changed what all objects have. */
export function fuzzParsers(corpus: readonly unknown[], seed: number, count: number): readonly Fall[] {
  const falls: Fall[] = [];
  const keys = Object.getOwnPropertyNames(Object.prototype).length;
  for (let i = 0; i < count && falls.length < 5; i++) {
    const parser = PARSER_NAMES[i % PARSER_NAMES.length] ?? '';
    const chance = new Chance(seed + i);
    try {
      PARSERS[parser]?.(mutate(chance.pick(corpus), chance), chance);
    } catch (error) {
      if (!(error instanceof AttacheError))
        falls.push({
          parser,
          seed: seed + i,
          what: error instanceof Error ? `${error.stack}` : String(error),
        });
    }
    if (Object.getOwnPropertyNames(Object.prototype).length !== keys)
      falls.push({ parser, seed: seed + i, what: 'it changed Object.prototype' });
  }
  return falls;
}

function toText(value: unknown, chance: Chance): string {
  const text = toBrokenText(value, chance);
  return typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
}

function toWords(chance: Chance): string {
  return Array.from({ length: chance.integer(1, 3) }, () => chance.pick(STRANGE_TEXTS)).join(
    chance.pick(['', '/', ':', '@', ',', '=']),
  );
}
