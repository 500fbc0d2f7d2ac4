import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { readPairs } from './pairs.ts';
import { Result } from './trial-protocol.ts';

const { ok, notFound, badArgument, invalidMemoryAccess } = Result;

/** The two low bits of a token. */
const HTTP_CALL = 0;
const GRPC_CALL = 1;
const GRPC_STREAM = 2;
const KINDS: readonly string[] = ['HTTP call', 'gRPC call', 'gRPC stream'];

/** Calls to clusters, which only the node has: they are taken, and never answered. */
export function calloutCalls(guest: Guest): HostCalls {
  const tokens = new Set<number>();
  const next = [HTTP_CALL, GRPC_CALL, GRPC_STREAM];
  const take = (kind: number, cluster: string, tokenAt: number): number => {
    guest.witness.want('cluster', cluster);
    guest.witness.unknowable(`whether the node has the cluster ${cluster} (${KINDS[kind]} at start)`);
    const token = (next[kind] ?? 0) + 4;
    next[kind] = token;
    tokens.add(token);
    return toResult(guest.memory.writeWord(tokenAt, token));
  };
  const end = (token: number): number => {
    const kind = token & 3;
    if (kind !== GRPC_CALL && kind !== GRPC_STREAM) return badArgument;
    return tokens.delete(token) ? ok : notFound;
  };
  const grpc = (kind: number, tokenAt: number, ...regions: readonly number[]): number => {
    for (let i = 0; i < regions.length; i += 2)
      if (!guest.memory.holds(regions[i] ?? 0, regions[i + 1] ?? 0)) return invalidMemoryAccess;
    const [at = 0, size = 0] = regions;
    return take(kind, findGrpcCluster(guest.memory.read(at, size) ?? Buffer.alloc(0)), tokenAt);
  };
  return {
    http_call(
      clusterAt: number,
      clusterSize: number,
      headersAt: number,
      headersSize: number,
      bodyAt: number,
      bodySize: number,
      trailersAt: number,
      trailersSize: number,
      timeoutMs: number,
      tokenAt: number,
    ) {
      const { memory } = guest;
      const cluster = guest.text(clusterAt, clusterSize);
      const headers = memory.read(headersAt, headersSize);
      const isReadable = memory.holds(bodyAt, bodySize) && memory.holds(trailersAt, trailersSize);
      if (cluster === undefined || headers === undefined || !isReadable || !memory.writeWord(tokenAt, 0))
        return invalidMemoryAccess;
      const names = readPairs(headers).map(([name]) => name.toLowerCase());
      const isWhole = [':path', ':method', ':authority'].every(name => names.includes(name));
      if (timeoutMs > 0x7fff_ffff || !isWhole) return badArgument;
      return take(HTTP_CALL, cluster, tokenAt);
    },
    grpc_call(...args: readonly number[]) {
      return grpc(GRPC_CALL, args[11] ?? 0, ...args.slice(0, 10));
    },
    grpc_stream(...args: readonly number[]) {
      return grpc(GRPC_STREAM, args[8] ?? 0, ...args.slice(0, 8));
    },
    grpc_close: end,
    grpc_cancel: end,
    grpc_send(token: number, at: number, size: number) {
      if (!guest.memory.holds(at, size)) return invalidMemoryAccess;
      if ((token & 3) !== GRPC_STREAM) return badArgument;
      return tokens.has(token) ? ok : notFound;
    },
  };
}

/**
 * The name in `GrpcService{envoy_grpc: {cluster_name}}`, or all of it: Envoy takes a bare name too.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/grpc_service.proto
 */
function findGrpcCluster(service: Buffer): string {
  const [tag, size, innerTag, innerSize = 0] = service;
  const isShort = tag === 0x0a && innerTag === 0x0a && size !== undefined && size < 0x80 && innerSize < 0x80;
  return isShort ? service.toString('utf8', 4, 4 + innerSize) : service.toString('utf8');
}
