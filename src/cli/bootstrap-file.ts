import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLMap } from 'yaml';
import { CliError } from './cli-error.ts';
import { YamlSplice } from './yaml-splice.ts';

/** A user's bootstrap, open for edits. */
export interface BootstrapFile {
  /** As the user named it. */
  readonly name: string;
  readonly splice: YamlSplice;
  readonly root: YAMLMap;
  /** `envoy.yaml:12:5` */
  at(node: unknown): string;
  /** CliError `bootstrap-refused` with that place: what is there cannot be completed. */
  refuse(node: unknown, message: string, hint: string): CliError;
}

/**
 * Throws CliError `bad-file` for what is no YAML or JSON, and `bootstrap-refused` for what no Envoy that Attaché serves takes:
 * types of the API's version 2, and merge keys.
 */
export function openBootstrap(text: string, name: string): BootstrapFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { keepSourceTokens: true, lineCounter, prettyErrors: false });
  const toPlace = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) throw toSyntaxError(`${toPlace(error.pos[0])}: ${error.message}`, text);
  const root = document.contents;
  if (!isMap(root)) throw new CliError('bad-file', `${name}: not an Envoy bootstrap: expected a map`);
  const at = (node: unknown) => toPlace((node as Node | undefined)?.range?.[0] ?? 0);
  const file: BootstrapFile = {
    name,
    splice: new YamlSplice(text, document),
    root,
    at,
    refuse: (node, message, hint) => new CliError('bootstrap-refused', `${at(node)}: ${message}`, { hint }),
  };
  refuseOld(file);
  return file;
}

function toSyntaxError(message: string, text: string): CliError {
  const isTemplate = /\{\{|\{%|<%/.test(text);
  const hint = 'It looks like a template: give what is made of it.';
  return new CliError('bad-file', message, isTemplate ? { hint } : {});
}

/** `envoy.api.v2.Listener`, `envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager` … */
const OLD_TYPE = /^type\.googleapis\.com\/envoy\.(api\.v2|config\.filter|config\.[\w.]+\.v2(alpha\d*)?)\./;

function refuseOld(file: BootstrapFile): void {
  visit(file.root, {
    Pair(_, { key, value }) {
      if (!isScalar(key)) return;
      const text = isScalar(value) ? String(value.value) : '';
      if (key.value === '@type' && OLD_TYPE.test(text))
        throw file.refuse(
          value,
          `${text.slice(text.indexOf('/') + 1)} is of version 2 of Envoy's API, which ended with Envoy 1.18`,
          "Envoy's API documentation names its type of version 3: change it in the file, then run this again.",
        );
      if (key.value === '<<' && (isAlias(value) || isMap(value)))
        throw file.refuse(
          key,
          'a merge key (<<): Envoy does not know them',
          'Write its fields out, as Envoy needs them, then run this again.',
        );
    },
  });
}
