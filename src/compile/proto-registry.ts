import { dirname } from 'node:path/posix';
import protobuf from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import { toMessage } from '../model/error.ts';
import { findNearestName } from '../model/nearest-name.ts';
import { ownBytes } from '../model/own-bytes.ts';
import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { CompileError } from './compile-error.ts';
import { findFaults, toCompileError } from './json-faults.ts';
import { installedProtoFiles, type ProtoFiles } from './proto-files.ts';
import { addMissing, mergeOverlay, OVERLAY_FILE } from './proto-overlay.ts';
import { NO_PROTOSETS, type Protosets } from './protoset.ts';
import { sortKeys } from './sort-keys.ts';
import { toStrictJson } from './strict-json.ts';

/** Only options of fields and files come from these; encoding needs none of them. */
const ANNOTATIONS = /^(validate\/validate|(udpa|xds|envoy)\/annotations\/|google\/api\/(annotations|http)\b)/;

/**
 * Envoy's types by name, read from .proto files when first asked for: a file with everything it imports, the
 * overlay of each package met on the way, and what the user's own descriptors add to them. JSON means proto3 JSON (Any expanded by `@type`), bytes are
 * deterministic: fields by number, map keys sorted. https://protobuf.dev/programming-guides/json/
 */
export class ProtoRegistry {
  readonly #root = new protobuf.Root();
  readonly #loaded = new Set<string>();
  readonly #files: ProtoFiles;
  readonly #protosets: Protosets;

  constructor(files: ProtoFiles = installedProtoFiles(), protosets: Protosets = NO_PROTOSETS) {
    this.#files = files;
    this.#protosets = protosets;
  }

  /** The message type of a full name or type URL, or undefined when nobody declares it. */
  find(typeUrl: string): protobuf.Type | undefined {
    const fullName = toFullName(typeUrl);
    if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(fullName)) return undefined;
    const known = this.#get(fullName);
    if (known !== undefined) return known;
    this.#loadDeclaring(fullName);
    return this.#get(fullName);
  }

  /** As `find`; throws CompileError `unknown-type`. */
  lookup(typeUrl: string): protobuf.Type {
    const type = this.find(typeUrl);
    if (type === undefined) throw new CompileError('unknown-type', this.#sayUnknown(typeUrl));
    return type;
  }

  /** A near match for a type nobody declares, in its own package and those loaded; a full name. */
  suggestType(typeUrl: string): string | undefined {
    const fullName = toFullName(typeUrl);
    return findNearestName(fullName, [
      ...this.#declaredBeside(fullName),
      ...this.#protosets.messages,
      ...this.#messageNames(),
    ]);
  }

  /**
   * Bytes of a message. Throws CompileError with a fault per wrong place; pointers are into `json`. `isOurs`: we composed
   * it, so faults are only looked for where there are any. That was half of the 2 ms that the first push of a change
   * waited for its bytes.
   */
  encode(typeUrl: string, json: JsonValue, isOurs = false): Uint8Array {
    const type = this.lookup(typeUrl);
    const ours = isOurs ? tryEncode(type, json) : undefined;
    if (ours !== undefined) return ours;
    try {
      const faults = findFaults(this, type, json);
      const strict = faults.length === 0 ? json : toStrictJson(this, json);
      const left = faults.length === 0 ? [] : findFaults(this, type, strict);
      // Places are said as they are in what was given.
      if (left.length > 0) throw toCompileError(left.length === faults.length ? faults : left);
      return encodeStrict(type, strict);
    } catch (cause) {
      if (cause instanceof CompileError) throw cause;
      // What the walk does not see, such as nesting without end.
      throw new CompileError('wrong-type', `not a ${type.fullName.slice(1)}: ${toMessage(cause)}`, { cause });
    }
  }

  /** The serialized google.protobuf.Any of a message that says its `@type`. */
  encodeAny(json: JsonObject): Uint8Array {
    return this.encode('google.protobuf.Any', json);
  }

  /** As encodeAny, of what we composed ourselves. */
  encodeOwn(json: JsonObject): Uint8Array {
    return this.encode('google.protobuf.Any', json, true);
  }

  /** The proto3 JSON of a message; unknown fields are dropped. */
  decode(typeUrl: string, bytes: Uint8Array): JsonObject {
    return this.#decodeWith(this.lookup(typeUrl), bytes);
  }

  /** The inverse of `encodeAny`. */
  decodeAny(bytes: Uint8Array): JsonObject {
    return this.decode('google.protobuf.Any', bytes);
  }

  /** Types inside an Any load when the decoder meets them: it says which one is missing, and we try again. */
  #decodeWith(type: protobuf.Type, bytes: Uint8Array): JsonObject {
    for (;;) {
      try {
        return protojson.toJson(type, type.decode(bytes)) as JsonObject;
      } catch (thrown) {
        const missing = /no such (?:type|Type): ?'?([\w.]+)/.exec(String(thrown))?.[1];
        if (missing === undefined || this.find(missing) === undefined) throw thrown;
      }
    }
  }

  #get(fullName: string): protobuf.Type | undefined {
    const found = this.#root.lookup(fullName.split('.'), [protobuf.Type]);
    return found instanceof protobuf.Type ? found : undefined;
  }

  #loadDeclaring(fullName: string): void {
    const parts = fullName.split('.');
    const first = parts.findIndex(part => /^[A-Z]/.test(part));
    const folder = parts.slice(0, first).join('/');
    this.#loadFilesOf(folder, parts[first] ?? '');
    if (folder === 'google/protobuf') this.#loadWellKnown();
    const described = this.#protosets.declaring(fullName)?.path;
    if (described !== undefined && this.#isComplete(described, new Set())) this.#load(described);
    this.#root.resolveAll();
  }

  /** Those of a package's folder that declare a message or enum. */
  #loadFilesOf(folder: string, name: string): void {
    const declaring = new RegExp(`^(?:message|enum) ${name}\\b`, 'm');
    for (const path of this.#files.list(folder))
      if (declaring.test(this.#files.read(path) ?? '') && this.#isComplete(path, new Set())) this.#load(path);
  }

  /** Whether all that a file imports is there: a half-loaded file would spoil every later look-up. */
  #isComplete(path: string, seen: Set<string>): boolean {
    if (seen.has(path) || this.#loaded.has(path) || ANNOTATIONS.test(path) || isWellKnown(path)) return true;
    seen.add(path);
    const source = this.#files.read(path);
    const described = this.#protosets.file(path);
    if (source === undefined && described === undefined) return false;
    const written = source?.matchAll(/^import (?:public |weak )?"([^"]+)";/gm) ?? [];
    const imports = [...[...written].map(match => match[1] ?? ''), ...(described?.imports ?? [])];
    return imports.every(imported => this.#isComplete(imported, seen));
  }

  #loadWellKnown(): void {
    for (const name of ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers'])
      this.#load(`google/protobuf/${name}.proto`);
  }

  #load(path: string): void {
    if (this.#loaded.has(path) || ANNOTATIONS.test(path)) return;
    this.#loaded.add(path);
    if (isWellKnown(path)) this.#root.addJSON(protobuf.common.get(path)?.nested ?? {});
    else if (path.endsWith(`/${OVERLAY_FILE}`)) this.#loadOverlay(path);
    else {
      const source = this.#files.read(path);
      if (source !== undefined) this.#loadFile(path, source);
      else if (this.#protosets.file(path) === undefined)
        throw new CompileError('unknown-type', `${path} is imported but not installed`);
      this.#loadDescribed(path);
    }
  }

  #loadFile(path: string, source: string): void {
    const { imports, weakImports } = protobuf.parse(source, this.#root);
    // Before the imports: whoever imports this file may use what the overlay adds to its package.
    this.#load(`${dirname(path)}/${OVERLAY_FILE}`);
    for (const imported of [...(imports ?? []), ...(weakImports ?? [])]) this.#load(imported);
  }

  /** What our own files say stays as it is, so that descriptors of any release of Envoy change no bytes. */
  #loadDescribed(path: string): void {
    const described = this.#protosets.file(path);
    if (described === undefined) return;
    const parent = described.packageName === '' ? this.#root : this.#root.define(described.packageName);
    for (const imported of described.imports) this.#load(imported);
    const types = described.build();
    // Files have other names in other releases: ours, which stays as it is, comes first all the same.
    for (const { name } of types) this.#loadFilesOf(described.packageName.replaceAll('.', '/'), name);
    addMissing(parent, types);
  }

  /** Every file of the package that the overlay extends comes first, else its messages would seem new. */
  #loadOverlay(path: string): void {
    const source = this.#files.read(path);
    if (source === undefined) return;
    const extended = new Set([...source.matchAll(/^(?:message|enum) (\w+)/gm)].map(match => match[1]));
    for (const sibling of this.#files.list(dirname(path))) {
      if (sibling === path) continue;
      const declared = (this.#files.read(sibling) ?? '').matchAll(/^(?:message|enum) (\w+)/gm);
      if ([...declared].some(match => extended.has(match[1]))) this.#load(sibling);
    }
    for (const imported of mergeOverlay(this.#root, source, path)) this.#load(imported);
  }

  #declaredBeside(fullName: string): string[] {
    const packageName = fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')));
    if (!/^\w+(\.\w+)*$/.test(packageName)) return [];
    return this.#files.list(packageName.replaceAll('.', '/')).flatMap(path => {
      const declared = (this.#files.read(path) ?? '').matchAll(/^message (\w+)/gm);
      return [...declared].map(match => `${packageName}.${match[1]}`);
    });
  }

  #messageNames(): string[] {
    const names: string[] = [];
    const visit = (namespace: protobuf.NamespaceBase): void => {
      for (const child of namespace.nestedArray) {
        if (child instanceof protobuf.Type) names.push(child.fullName.slice(1));
        if (child instanceof protobuf.Namespace) visit(child);
      }
    };
    visit(this.#root);
    return names;
  }

  #sayUnknown(typeUrl: string): string {
    const near = this.suggestType(typeUrl);
    return `unknown type ${typeUrl}${near === undefined ? '' : `; did you mean ${near}?`}`;
  }
}

/** Throws whatever protobufjs does where it is not of that type. */
function encodeStrict(type: protobuf.Type, json: JsonValue): Uint8Array {
  return ownBytes(type.encode(protojson.fromJson(type, sortKeys(json))).finish());
}

/** Undefined where it is not of that type, or a type in it was not loaded yet. */
function tryEncode(type: protobuf.Type, json: JsonValue): Uint8Array | undefined {
  try {
    return encodeStrict(type, json);
  } catch {
    return undefined;
  }
}

function isWellKnown(path: string): boolean {
  return protobuf.common.get(path) !== null;
}

/** `type.googleapis.com/envoy.x.Y` and `envoy.x.Y` name the same type. */
export function toFullName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
