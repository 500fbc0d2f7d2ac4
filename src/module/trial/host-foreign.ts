import { deflateSync, inflateSync } from 'node:zlib';
import type { Guest } from './guest.ts';
import type { HostCalls } from './host-call.ts';
import { Result } from './trial-protocol.ts';

const { ok, notFound, badArgument, serializationFailure, invalidMemoryAccess } = Result;

/** Of the functions that Envoy brings: those that need more than their argument are not run here. */
const NOT_RUN: readonly string[] = [
  'verify_signature',
  'sign',
  'expr_create',
  'expr_evaluate',
  'expr_delete',
];
/** The most that is inflated, so that a small argument cannot fill the memory of the child. */
const MAX_INFLATED_BYTES = 64 << 20;

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/wasm_filter */
export function foreignCalls(guest: Guest): HostCalls {
  const declared = new Set<string>();
  /** What it gives, or how it ends; undefined: Envoy has no such function. */
  const run = (name: string, argument: Buffer): Buffer | number | undefined => {
    switch (name) {
      case 'compress':
        return deflateSync(argument);
      case 'uncompress':
        return inflate(argument);
      case 'declare_property': {
        const key = argument.toString('hex');
        if (declared.has(key)) return badArgument;
        declared.add(key);
        return ok;
      }
      case 'clear_route_cache':
        return ok;
      // There is no stream to set it on.
      case 'set_envoy_filter_state':
        return notFound;
      default:
        if (!NOT_RUN.includes(name)) return undefined;
        guest.witness.unknowable(`foreign function ${name} is not run in a trial`);
        return badArgument;
    }
  };
  return {
    call_foreign_function(
      nameAt: number,
      nameSize: number,
      at: number,
      size: number,
      addressAt: number,
      sizeAt: number,
    ) {
      const name = guest.text(nameAt, nameSize);
      const argument = guest.memory.read(at, size);
      if (name === undefined || argument === undefined) return invalidMemoryAccess;
      guest.witness.want('foreignFunction', name);
      const answer = run(name, argument);
      if (answer === undefined) return notFound;
      const bytes = typeof answer === 'number' ? Buffer.alloc(0) : answer;
      const place = bytes.length > 0 && addressAt !== 0 ? (guest.allocate(bytes.length) ?? 0) : 0;
      if (place !== 0) guest.memory.write(place, bytes);
      if (addressAt !== 0 && !guest.memory.writeWord(addressAt, place)) return invalidMemoryAccess;
      if (sizeAt !== 0 && !guest.memory.writeWord(sizeAt, bytes.length)) return invalidMemoryAccess;
      return typeof answer === 'number' ? answer : ok;
    },
  };
}

function inflate(bytes: Buffer): Buffer | number {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch {
    return serializationFailure;
  }
}
