import { isIP } from 'node:net';
import protobuf from 'protobufjs/minimal.js';
import { CLUSTER_TYPE } from '../model/type-url.ts';
import { MODULE_CLUSTER } from './filter-types.ts';

/** Where Envoys reach the module server, and how. */
export interface ModuleAddress {
  readonly host: string;
  readonly port: number;
  /** `mtls`: with a certificate of theirs. */
  readonly speaks: 'plain' | 'tls' | 'mtls';
}

/** Static secrets of a bootstrap, part of the interface between Attaché and an Envoy. */
const CA_SECRET = 'attache_ca';
const NODE_SECRET = 'attache_node';
const TLS_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

const [STATIC, STRICT_DNS] = [0, 1];
const V4_PREFERRED = 3;
const [DNS, IP_ADDRESS] = [2, 4];

/** A field of a message by its number, in the order of the numbers; a list is a message in it. */
type Field = readonly [number: number, value: string | number | readonly Field[]];

/**
 * The serialized google.protobuf.Any of the cluster that modules are fetched through, HTTP/1.1; a user's cluster of that name
 * takes its place, and so does the one that `attache bootstrap` writes. Where the files of TLS lie on a node only its bootstrap
 * knows: they are its static secrets here.
 *
 * By the numbers of the fields (envoy/config/cluster/v3/cluster.proto): to read Envoy's files for clusters took 80 ms, for
 * which the first Envoy that came after a start waited, and with it all others.
 */
export function encodeModuleCluster({ host, port, speaks }: ModuleAddress): Uint8Array {
  const isAddress = isIP(host) !== 0;
  const socketAddress: Field[] = [
    [2, host],
    [3, port],
  ];
  // ClusterLoadAssignment > LocalityLbEndpoints > LbEndpoint > Endpoint > Address
  const endpoints: Field[] = [[2, [[1, [[1, [[1, socketAddress]]]]]]]];
  const cluster: Field[] = [
    [1, MODULE_CLUSTER],
    [2, isAddress ? STATIC : STRICT_DNS],
    // connect_timeout, s
    [4, [[1, 5]]],
    ...(isAddress ? [] : [[17, V4_PREFERRED] as const]),
    ...(speaks === 'plain' ? [] : [[24, toTransportSocket(host, speaks === 'mtls')] as const]),
    [
      33,
      [
        [1, MODULE_CLUSTER],
        [2, endpoints],
      ],
    ],
  ];
  return encode(toAny(CLUSTER_TYPE, cluster));
}

function toTransportSocket(host: string, isMutual: boolean): readonly Field[] {
  const isAddress = isIP(host) !== 0;
  const name: Field[] = [
    [1, isAddress ? IP_ADDRESS : DNS],
    // StringMatcher.exact
    [2, [[1, host]]],
  ];
  const validation: Field[] = [
    // default_validation_context.match_typed_subject_alt_names
    [1, [[15, name]]],
    [2, [[1, CA_SECRET]]],
  ];
  const common: Field[] = [
    ...(isMutual ? [[6, [[1, NODE_SECRET]]] as const] : []),
    // combined_validation_context
    [8, validation],
  ];
  const context: Field[] = [[1, common], ...(isAddress ? [] : [[2, host] as const])];
  return [
    [1, 'envoy.transport_sockets.tls'],
    [3, toAny(TLS_TYPE, context)],
  ];
}

function toAny(typeUrl: string, message: readonly Field[]): readonly Field[] {
  return [
    [1, typeUrl],
    [2, message],
  ];
}

function encode(fields: readonly Field[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [number, value] of fields)
    if (typeof value === 'number') writer.uint32(number << 3).uint32(value);
    else {
      writer.uint32((number << 3) | 2);
      if (typeof value === 'string') writer.string(value);
      else writer.bytes(encode(value));
    }
  return writer.finish();
}
