import { StreamContext } from "./context";
import { proxy_http_call } from "./externals";
import { addressOf, encode, valueSlot } from "./memory";
import { encodePairs, Headers } from "./pairs";

/** Which context waits for which call. */
const callers = new Map<u32, u32>();

/**
 * Sends a request to a cluster of the Envoy; the answer comes to onHttpCallResponse of the stream, or of the root context
 * without one. `headers` need `:method`, `:path` and `:authority`. Gives the number of the call, 0 where the host
 * refuses it: no such cluster, or a header is missing. Needs `export * from "…/callbacks-root"`.
 */
export function httpCall(
  stream: StreamContext | null, cluster: string, headers: Headers, body: string = "", timeoutMilliseconds: u32 = 1000,
): u32 {
  const name = encode(cluster);
  const pairs = encodePairs(headers);
  const content = encode(body);
  const status = proxy_http_call(
    addressOf(name), name.byteLength, addressOf(pairs), pairs.byteLength, addressOf(content), content.byteLength,
    0, 0, timeoutMilliseconds, valueSlot(),
  );
  if (status != 0) return 0;
  const call = load<u32>(valueSlot());
  if (stream) callers.set(call, stream.id);
  return call;
}

/** The context that made a call, 0 for a root context; forgets it. */
export function takeCaller(call: u32): u32 {
  if (!callers.has(call)) return 0;
  const caller = callers.get(call);
  callers.delete(call);
  return caller;
}
