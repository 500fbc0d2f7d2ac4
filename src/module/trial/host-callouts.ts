import type { Guest } from './guest.ts';
import { type HostCalls, toResult } from './host-call.ts';
import { readPairs } from './pairs.ts';
import { Result } from './trial-protocol.ts';

const { ok, badArgument, invalidMemoryAccess } = Result;

/** Calls to clusters, which only the node has: they are taken, and never answered. */
export function calloutCalls(guest: Guest): HostCalls {
  let lastToken = 0;
  const take = (kind: string, cluster: string, tokenAt: number): number => {
    guest.witness.want('cluster', cluster);
    guest.witness.unknowable(`whether the node has the cluster ${cluster} (${kind} at start)`);
    lastToken += 4;
    return toResult(guest.memory.writeWord(tokenAt, lastToken));
  };
  const grpc = (kind: string, tokenAt: number, ...regions: readonly number[]): number => {
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
      return take('HTTP call', cluster, tokenAt);
    },
    grpc_call(...args: readonly number[]) {
      return grpc('gRPC call', args[11] ?? 0, ...args.slice(0, 10));
    },
    grpc_stream(...args: readonly number[]) {
      return grpc('gRPC stream', args[8] ?? 0, ...args.slice(0, 8));
    },
    grpc_close: () => ok,
    grpc_cancel: () => ok,
    grpc_send: (_token: number, at: number, size: number) => toResult(guest.memory.holds(at, size)),
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
