import protobuf from 'protobufjs/minimal.js';

const COUNTER = 0;

/**
 * A StreamMetricsMessage with what an Envoy counted since its start. `at`: ms.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
export function encodeRequestCounts(
  node: Uint8Array,
  { ok, failed }: { readonly ok: number; readonly failed: number },
  at: number,
): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(10).bytes(node).ldelim();
  writeCounter(writer, 'http.ingress.downstream_rq_2xx', ok, at);
  writeCounter(writer, 'http.ingress.downstream_rq_5xx', failed, at);
  return writer.finish();
}

function writeCounter(writer: protobuf.Writer, name: string, value: number, at: number): void {
  writer.uint32(18).fork().uint32(10).string(name).uint32(24).int32(COUNTER);
  writer.uint32(34).fork();
  writer.uint32(26).fork().uint32(9).double(value).ldelim();
  writer.uint32(48).int64(at);
  writer.ldelim().ldelim();
}
