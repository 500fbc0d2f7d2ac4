import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** The library is loaded when the first text is wanted: it is half of the modules that `attache get` would load. */
const require = createRequire(import.meta.url);

/** YAML text in which what fits on a line stands on one. */
export function toYaml(value: unknown): string {
  const { Document, visit } = require('yaml') as typeof Yaml;
  const document = new Document(value);
  visit(document, {
    Collection(key, node) {
      if (key === null || toFlow(node.toJS(document)).length > 80) return undefined;
      node.flow = true;
      return visit.SKIP;
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}

/** JSON is YAML in flow style; a space after the colons and commas reads better. */
export function toFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toFlow).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${toFlow(entry)}`)
    .join(', ')}}`;
}
