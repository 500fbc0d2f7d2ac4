import { Document, isMap, isNode, type Node, Pair, Scalar, visit, type YAMLMap } from 'yaml';
import { RESOURCE_KIND, toDocumentName } from '../model/resource-document.ts';
import { LISTENER_TYPE } from '../model/type-url.ts';
import type { BootstrapOptions } from './bootstrap-document.ts';
import type { BootstrapFile } from './bootstrap-file.ts';
import { listListeners, readFacts } from './bootstrap-listeners.ts';
import { isIgnored, type YamlSplice } from './yaml-splice.ts';

/** A listener that Attaché is to deliver from now on. */
export interface MovedListener {
  /** Its Envoy name. */
  readonly name: string;
  /** Whether that is ours: the bootstrap gave it none, and listeners that are delivered have one. */
  readonly named: boolean;
  /** `ingress.yaml` */
  readonly file: string;
  /** A document for `attache apply`. */
  readonly text: string;
}

/**
 * Takes the listeners out of a bootstrap. Clusters and secrets stay there: a delivered listener finds them all the same. Throws
 * CliError `bootstrap-refused` for what cannot be delivered.
 */
export function moveListeners(file: BootstrapFile, options: BootstrapOptions): readonly MovedListener[] {
  const { splice, root } = file;
  const listeners = listListeners(file);
  refuseSharedAnchors(file);
  refuseOtherSource(file);
  const moved = listeners.map(listener => toMoved(file, listener, options));
  const names = moved.map(one => one.file);
  const second = names.findIndex((name, i) => names.indexOf(name) < i);
  if (second >= 0)
    throw file.refuse(
      listeners[second],
      `a second listener named ${moved[second]?.name}`,
      'Give each a name of its own, then run this again.',
    );
  const resources = splice.get(root, 'static_resources', 'staticResources');
  if (isMap(resources) && moved.length > 0) splice.setEntry(resources, 'listeners', []);
  return moved;
}

function toMoved(file: BootstrapFile, listener: unknown, options: BootstrapOptions): MovedListener {
  const { splice } = file;
  if (splice.has(listener, 'api_listener', 'apiListener'))
    throw file.refuse(listener, 'an api_listener cannot be delivered', 'Leave --move-listeners out.');
  const own = splice.text(listener, 'name');
  const { port } = readFacts(splice, listener);
  if ((own ?? '') === '' && port === 0)
    throw file.refuse(
      listener,
      'a listener without a name cannot be delivered',
      'Give it a name, then run this again.',
    );
  const name = own || `listener-${port}`;
  const document = toDocumentName(name);
  return {
    name,
    named: name !== own,
    file: `${document}.yaml`,
    text: toText(splice, listener as YAMLMap, name, document, options),
  };
}

function toText(
  splice: YamlSplice,
  listener: YAMLMap,
  name: string,
  documentName: string,
  options: BootstrapOptions,
): string {
  const { namespace, labels, unanswered } = options;
  const document = new Document({
    ...RESOURCE_KIND,
    metadata: { name: documentName, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      ...(Object.keys(labels).length === 0 ? {} : { selector: { matchLabels: labels } }),
      ...(unanswered === 'allow' ? { slots: { unanswered } } : {}),
    },
  });
  const resource = toOwn(splice, listener) as YAMLMap;
  // Comments above the list belong to its first item.
  resource.commentBefore = null;
  if (splice.text(listener, 'name') !== name) resource.set('name', name);
  resource.items.unshift(new Pair(document.createNode('@type'), document.createNode(LISTENER_TYPE)));
  document.setIn(['spec', 'resource'], resource);
  return document.toString({ indentSeq: false, lineWidth: 0 });
}

/** A copy that needs nothing outside of itself: aliases are written out, comments stay. */
function toOwn(splice: YamlSplice, node: Node): Node {
  const copy = node.clone() as Node;
  visit(copy, {
    Alias: (_, alias) => {
      const target = splice.resolve(alias);
      return isNode(target) ? (target.clone() as Node) : undefined;
    },
    Pair: (_, pair) => {
      if (isIgnored(pair)) return visit.REMOVE;
      if (isMap(pair.value)) pair.value = unwrap(pair.value);
      return undefined;
    },
  });
  visit(copy, {
    Node: (_, one) => {
      if ('anchor' in one) delete one.anchor;
    },
  });
  return copy;
}

/** What stands in a TypedStruct, with its own type: Attaché looks for HTTP connection managers. */
function unwrap(config: YAMLMap): YAMLMap {
  const type = config.get('@type');
  const inner = config.get('type_url') ?? config.get('typeUrl');
  const value = config.get('value');
  if (typeof type !== 'string' || !TYPED_STRUCT.test(type) || !isMap(value)) return config;
  value.items.unshift(new Pair(new Scalar('@type'), new Scalar(inner)));
  return value;
}

/** https://github.com/cncf/xds/blob/main/xds/type/v3/typed_struct.proto */
const TYPED_STRUCT = /\/(xds|udpa)\.type\.v[13]\.TypedStruct$/;

/** What stays in the file must not need what goes. */
function refuseSharedAnchors({ splice, root, refuse }: BootstrapFile): void {
  const resources = splice.get(root, 'static_resources', 'staticResources');
  const list = splice.own(resources, 'listeners');
  if (!isNode(list)) return;
  const going = new Set<unknown>();
  visit(list, { Node: (_, node) => void going.add(node) });
  visit(root, {
    Alias: (_, alias) => {
      if (going.has(alias) || !going.has(splice.resolve(alias))) return;
      throw refuse(
        alias,
        `*${alias.source} stands for a part of a listener, which is to go`,
        'Write that part out here, then run this again.',
      );
    },
  });
}

function refuseOtherSource(file: BootstrapFile): void {
  const { splice, root } = file;
  const dynamic = splice.get(root, 'dynamic_resources', 'dynamicResources');
  const lds = splice.get(dynamic, 'lds_config', 'ldsConfig');
  if (!isMap(lds) || splice.has(lds, 'ads')) return;
  throw file.refuse(
    lds,
    'lds_config: this Envoy gets its listeners from somewhere else than Attaché',
    'Take lds_config out, and give Attaché those listeners too: attache apply.',
  );
}
