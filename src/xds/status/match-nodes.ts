import { runInNewContext } from 'node:vm';
import type { NodeIdentity } from '../../model/node.ts';
import type { JsonObject } from '../../model/plugin-spec.ts';
import { toMetadata } from './node-metadata.ts';
import { asList, asObject, badMatcher, type Predicate, toStringPredicate } from './string-match.ts';
import { toStructPredicate } from './value-match.ts';

/** Nothing that one asks may stop the others' streams for longer. */
const LIMIT_MS = 100;

/**
 * The nodes that one of the matchers (envoy.type.matcher.v3.NodeMatcher, JSON form) fits; all of them where there is no matcher. The parts of
 * a matcher must all fit. Throws XdsError `bad-node-matcher`, also where matching takes too long.
 */
export function matchNodes(
  matchers: readonly JsonObject[],
  nodes: readonly NodeIdentity[],
): readonly NodeIdentity[] {
  if (matchers.length === 0) return nodes;
  const predicates = matchers.map((matcher, i) => toNodePredicate(matcher, `node_matchers[${i}]`));
  const select = () => nodes.filter(node => predicates.some(fits => fits(node)));
  try {
    // The time limit of a context ends regular expressions too. Nothing of the request is run as code.
    return runInNewContext('select()', { select }, { timeout: LIMIT_MS }) as ReturnType<typeof select>;
  } catch (error) {
    // The error is one of that context.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw badMatcher('node_matchers', `takes more than ${LIMIT_MS} ms: write a simpler safe_regex`);
  }
}

function toNodePredicate(matcher: JsonObject, path: string): Predicate<NodeIdentity> {
  const onId =
    matcher.node_id === undefined
      ? undefined
      : toStringPredicate(asObject(matcher.node_id), `${path}.node_id`);
  const onMetadata = asList(matcher.node_metadatas).map((part, i) =>
    toStructPredicate(part, `${path}.node_metadatas[${i}]`),
  );
  if (onId === undefined && onMetadata.length === 0) throw badMatcher(path, 'says nothing to match');
  return node => {
    if (onId?.(node.id) === false) return false;
    if (onMetadata.length === 0) return true;
    const metadata = toMetadata(node);
    return onMetadata.every(fits => fits(metadata));
  };
}
