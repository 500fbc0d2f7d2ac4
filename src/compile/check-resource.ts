import type { Fault } from '../model/error.ts';
import type { JsonObject } from '../model/plugin-spec.ts';
import { type CheckResource, type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE, XDS_TYPES } from '../model/type-url.ts';
import { CompileError } from './compile-error.ts';
import { countConnectionManagers } from './decoded-listener.ts';
import { parsePhasePlace } from './phase-place.ts';
import type { ProtoRegistry } from './proto-registry.ts';
import { findSensitive, refuseRedacted, withoutValues } from './sensitive-fields.ts';

/**
 * The port by which the api checks a user's resource before it is stored. Rejects with CompileError: `wrong-type`,
 * `unknown-type` and `unknown-field` from the proto, `redacted-value`, `wrong-resource` where `@type` is not the document's kind or
 * the Envoy name is missing or is that of a place for plugins.
 */
export function makeCheckResource(registry: ProtoRegistry): CheckResource {
  return async spec => {
    const typeUrl = readTypeUrl(spec);
    refuseRedacted(registry, spec.resource);
    const sensitive = findSensitive(registry, spec.resource);
    const any = encode(registry, spec.resource, sensitive);
    const envoyName = toEnvoyName(spec.resource);
    if (envoyName === undefined) throw sayNoName(typeUrl);
    if (typeUrl === EXTENSION_CONFIG_TYPE && parsePhasePlace(envoyName) !== undefined)
      throw sayTaken(envoyName);
    const warnings = findWarnings(spec, typeUrl, envoyName, registry.decodeAny(any));
    return { typeUrl, envoyName, warnings, sensitive };
  };
}

function encode(registry: ProtoRegistry, resource: JsonObject, sensitive: readonly string[]): Uint8Array {
  try {
    return registry.encodeAny(resource);
  } catch (thrown) {
    throw thrown instanceof CompileError ? withoutValues(thrown, sensitive) : thrown;
  }
}

function readTypeUrl(spec: ResourceSpec): string {
  const row = XDS_TYPES.find(type => type.plural === spec.type);
  const written = spec.resource['@type'];
  const known = XDS_TYPES.find(type => type.typeUrl === written);
  if (row !== undefined && known === row) return row.typeUrl;
  const message =
    known === undefined
      ? `${String(written ?? 'a resource without @type')} is not a resource that Envoy asks a control plane for`
      : `${String(written)} is one of the ${known.plural}, not of the ${spec.type}`;
  throw refuse({ pointer: '/@type', message, hint: `expected ${row?.typeUrl ?? 'one of the xDS types'}` });
}

function sayNoName(typeUrl: string): CompileError {
  const field = typeUrl.endsWith('.ClusterLoadAssignment') ? 'cluster_name' : 'name';
  return refuse({ pointer: `/${field}`, message: `${field} is missing: Envoy asks for a resource by it` });
}

function sayTaken(envoyName: string): CompileError {
  const message = `${envoyName} is a place for plugins: with a resource of that name none would run there`;
  return refuse({ pointer: '/name', message, hint: 'choose another name' });
}

function refuse(fault: Fault): CompileError {
  const hint = fault.hint === undefined ? {} : { hint: fault.hint };
  return new CompileError('wrong-resource', `${fault.pointer}: ${fault.message}`, {
    faults: [fault],
    ...hint,
  });
}

function findWarnings(
  spec: ResourceSpec,
  typeUrl: string,
  envoyName: string,
  decoded: JsonObject,
): readonly string[] {
  const warnings = typeUrl === LISTENER_TYPE ? warnOfListener(decoded, envoyName) : [];
  if (spec.unanswered !== undefined && typeUrl !== LISTENER_TYPE)
    warnings.push('slots.unanswered has a meaning for listeners only');
  return warnings;
}

function warnOfListener(decoded: JsonObject, envoyName: string): string[] {
  const managers = countConnectionManagers(decoded);
  if (managers.all === 0)
    return [`listener ${envoyName} has no HTTP connection manager: no plugin can run on it`];
  if (managers.withoutFilters > 0)
    return [
      `listener ${envoyName} has an HTTP connection manager without filters: Envoy wants a router at the end`,
    ];
  return [];
}
