import type { ProtoRegistry } from '../../src/compile/proto-registry.ts';

export type RawMode = 'delta' | 'sotw';

/** A discovery request as it came, of either protocol. */
export interface RawRequest {
  readonly at: number;
  readonly mode: RawMode;
  readonly typeUrl: string;
  /** Names asked for (delta: newly subscribed; SotW: all wanted). */
  readonly names: readonly string[];
  readonly unsubscribed: readonly string[];
  /** Delta: versions it brings, by name. */
  readonly initialVersions: Readonly<Record<string, string>>;
  /** SotW: the version it has accepted last. */
  readonly versionInfo: string;
  readonly responseNonce: string;
  /** Envoy's text; undefined in anything but a NACK. */
  readonly error: string | undefined;
  /** node.id, where this request brings a node. */
  readonly nodeId: string | undefined;
}

/** Reads the whole message with the schema, unlike the product, so that neither hides a fault of the other. */
export function decodeRawRequest(registry: ProtoRegistry, mode: RawMode, bytes: Uint8Array): RawRequest {
  const name = mode === 'delta' ? 'DeltaDiscoveryRequest' : 'DiscoveryRequest';
  const type = registry.lookup(`envoy.service.discovery.v3.${name}`);
  const message = type.decode(bytes) as unknown as Message;
  return {
    at: Date.now(),
    mode,
    typeUrl: read(message, 'typeUrl') ?? '',
    names: read(message, 'resourceNamesSubscribe') ?? read(message, 'resourceNames') ?? [],
    unsubscribed: read(message, 'resourceNamesUnsubscribe') ?? [],
    initialVersions: { ...read<Record<string, string>>(message, 'initialResourceVersions') },
    versionInfo: read(message, 'versionInfo') ?? '',
    responseNonce: read(message, 'responseNonce') ?? '',
    error: hasOwn(message, 'errorDetail')
      ? (read<Message>(message, 'errorDetail')?.message as string)
      : undefined,
    nodeId: hasOwn(message, 'node') ? (read<Message>(message, 'node')?.id as string) : undefined,
  };
}

type Message = Readonly<Record<string, unknown>>;

/** protobufjs names fields in camel case or as written, depending on how the file was parsed. */
function read<T>(message: Message, field: string): T | undefined {
  return (message[field] ?? message[toSnake(field)]) as T | undefined;
}

function hasOwn(message: Message, field: string): boolean {
  return Object.hasOwn(message, field) || Object.hasOwn(message, toSnake(field));
}

function toSnake(field: string): string {
  return field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}
