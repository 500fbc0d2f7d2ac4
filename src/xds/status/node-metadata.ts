import type { NodeIdentity } from '../../model/node.ts';
import type { JsonObject } from '../../model/plugin-spec.ts';

/** `node.metadata` as far as it is kept: under the names that Istio's proxies use, whichever case the Envoy sent. */
export function toMetadata({ namespace, labels, bootstrap }: NodeIdentity): JsonObject {
  const { unanswered, listeners } = bootstrap;
  const attache = {
    ...(unanswered === undefined ? {} : { unanswered }),
    ...(listeners === undefined ? {} : { listeners: listeners.map(listener => ({ ...listener })) }),
  };
  return {
    NAMESPACE: namespace,
    LABELS: labels,
    ...(Object.keys(attache).length === 0 ? {} : { attache }),
  };
}
