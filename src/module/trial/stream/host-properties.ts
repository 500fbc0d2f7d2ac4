import type { PropertyValue } from '../../../model/plugin-run.ts';
import type { HostCalls } from '../host-call.ts';
import type { Imported } from '../link-host.ts';
import { Result } from '../trial-protocol.ts';
import type { HttpStream, PassingMessage } from './http-stream.ts';
import type { StreamGuest } from './stream-guest.ts';

const { ok, notFound, invalidMemoryAccess } = Result;

/**
 * Properties while requests pass: those of the request file, what the plugin set, what follows from the request; `base`
 * knows the plugin's own. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 */
export function propertyCalls(guest: StreamGuest, base: Imported): HostCalls {
  return {
    get_property(at: number, size: number, addressAt: number, sizeAt: number) {
      const text = guest.text(at, size);
      if (text === undefined) return invalidMemoryAccess;
      const parts = text.replace(/\0$/, '').split('\0');
      const value = findProperty(guest, parts);
      if (value !== undefined) return guest.answer(value, addressAt, sizeAt);
      const result = base(at, size, addressAt, sizeAt) ?? notFound;
      if (result === notFound) guest.stream?.unknownProperties.add(parts.join('.'));
      return result;
    },
    set_property(at: number, size: number, valueAt: number, valueSize: number) {
      const path = guest.text(at, size);
      const value = guest.memory.read(valueAt, valueSize);
      if (path === undefined || value === undefined) return invalidMemoryAccess;
      const { stream } = guest;
      if (stream === undefined) return notFound;
      stream.state.set(path.split('\0').join('.'), value);
      return ok;
    },
  };
}

function findProperty({ order, stream }: StreamGuest, parts: readonly string[]): Buffer | undefined {
  const path = parts.join('.');
  const given = stream?.step.properties[path] ?? order.properties[path];
  if (given !== undefined) return encode(given);
  if (stream === undefined) return undefined;
  const set = stream.state.get(path) ?? stream.state.get(path.replace(/^(filter_state\.)?wasm\./, ''));
  if (set !== undefined) return set;
  const derived = derive(stream, parts);
  return derived === undefined ? undefined : encode(derived);
}

function derive(stream: HttpStream, [group, name, ...rest]: readonly string[]): PropertyValue | undefined {
  if (group === 'request') return deriveOfRequest(stream.request, name, rest);
  const { response } = stream;
  if (group !== 'response' || response === undefined) return undefined;
  if (name === 'headers') return response.headers.get(rest.join('.'));
  if (name === 'code') return Number(response.headers.get(':status') ?? 0);
  if (name === 'code_details') return stream.local?.details ?? 'via_upstream';
  return undefined;
}

function deriveOfRequest(
  { headers }: PassingMessage,
  name: string | undefined,
  rest: readonly string[],
): PropertyValue | undefined {
  const path = headers.get(':path') ?? '';
  switch (name) {
    case 'headers':
      return headers.get(rest.join('.'));
    case 'path':
      return path;
    case 'url_path':
      return path.replace(/\?.*$/s, '');
    case 'query':
      return /\?(.*)$/s.exec(path)?.[1] ?? '';
    case 'host':
      return headers.get(':authority');
    case 'method':
      return headers.get(':method');
    case 'scheme':
      return headers.get(':scheme');
    case 'referer':
      return headers.get('referer');
    case 'useragent':
      return headers.get('user-agent');
    case 'id':
      return headers.get('x-request-id');
    case 'protocol':
      return 'HTTP/1.1';
    default:
      return undefined;
  }
}

/** Texts as they are, whole numbers in 8 bytes, others as a double, truth values in one byte. */
function encode(value: PropertyValue): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
  const bytes = Buffer.alloc(8);
  if (Number.isInteger(value)) bytes.writeBigInt64LE(BigInt(value));
  else bytes.writeDoubleLE(value);
  return bytes;
}
