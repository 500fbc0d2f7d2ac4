import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../../src/model/type-url.ts';
import type { Plane } from './plane.ts';

/** What is applied during a soak: each resource carries the number of its newest change in its bytes. */
interface Kind {
  readonly typeUrl: string;
  readonly plural: string;
  readonly prefix: string;
  readonly count: number;
  make(name: string, mark: string, index: number): JsonObject;
}

const TCP_PROXY = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
const toAddress = (port: number): JsonObject => ({
  socket_address: { address: '127.0.0.1', port_value: port },
});

const KINDS: readonly Kind[] = [
  {
    typeUrl: CLUSTER_TYPE,
    plural: 'clusters',
    prefix: 'cluster',
    count: 10,
    make: (name, mark) => ({
      name,
      alt_stat_name: mark,
      type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {} } },
    }),
  },
  {
    typeUrl: ENDPOINT_TYPE,
    plural: 'endpoints',
    prefix: 'endpoint',
    count: 10,
    make: (name, mark) => ({
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { hostname: mark, address: toAddress(9) } }] }],
    }),
  },
  {
    typeUrl: LISTENER_TYPE,
    plural: 'listeners',
    prefix: 'listener',
    count: 4,
    make: (name, mark, index) => ({
      name,
      stat_prefix: mark,
      address: toAddress(20_000 + index),
      filter_chains: [
        {
          filters: [
            {
              name: 'envoy.filters.network.tcp_proxy',
              typed_config: { '@type': TCP_PROXY, stat_prefix: 'soak', cluster: 'cluster-0' },
            },
          ],
        },
      ],
    }),
  },
  {
    typeUrl: ROUTE_TYPE,
    plural: 'routes',
    prefix: 'route',
    count: 6,
    make: (name, mark) => ({
      name,
      virtual_hosts: [
        {
          name: mark,
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    }),
  },
];

const MARK = /soak-mark-\d+/;

/** The number of the change in a resource's bytes; undefined: it is none of ours. */
export function markOf(any: Uint8Array): string | undefined {
  return MARK.exec(Buffer.from(any).toString('latin1'))?.[0];
}

/** By type, the names that exist, or will again. */
export const NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  KINDS.map(({ typeUrl, prefix, count }) => [
    typeUrl,
    Array.from({ length: count }, (_, i) => `${prefix}-${i}`),
  ]),
);

/** Writes resources and remembers what is newest. */
export class Content {
  readonly #plane: Plane;
  /** By type and name. */
  readonly newest = new Map<string, Map<string, string>>();
  changes = 0;

  constructor(plane: Plane) {
    this.#plane = plane;
    for (const { typeUrl } of KINDS) this.newest.set(typeUrl, new Map());
  }

  /** One change: of kind and resource by two numbers in [0, 1). */
  async change(kindAt: number, at: number): Promise<void> {
    const kind = KINDS[Math.floor(kindAt * KINDS.length)] as Kind;
    await this.#write(kind, Math.floor(at * kind.count));
  }

  /** All of them. */
  async changeAll(): Promise<void> {
    for (const kind of KINDS) for (let i = 0; i < kind.count; i++) await this.#write(kind, i);
  }

  /** Takes one cluster away, or brings it back at its next change. */
  async remove(at: number): Promise<void> {
    const name = `cluster-${1 + Math.floor(at * 9)}`;
    if (!this.newest.get(CLUSTER_TYPE)?.delete(name)) return;
    this.changes += 1;
    await this.#plane.must('DELETE', `/v1/resources/clusters/default/${name}`);
  }

  async #write({ typeUrl, plural, prefix, make }: Kind, index: number): Promise<void> {
    const name = `${prefix}-${index}`;
    const mark = `soak-mark-${++this.changes}`;
    const resource = { '@type': typeUrl, ...make(name, mark, index) };
    await this.#plane.must('PUT', `/v1/resources/${plural}/default/${name}`, {
      apiVersion: 'attache/v1',
      kind: 'EnvoyResource',
      metadata: { namespace: 'default', name },
      spec: { resource },
    });
    this.newest.get(typeUrl)?.set(name, mark);
  }
}
