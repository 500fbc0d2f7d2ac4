import { createRequire } from 'node:module';
import protobuf from 'protobufjs';
import type descriptor from 'protobufjs/ext/descriptor.js';
import type {
  IDescriptorContext,
  IDescriptorProto,
  IFileDescriptorProto,
} from 'protobufjs/ext/descriptor.js';
import { toMessage } from '../model/error.ts';
import { CompileError } from './compile-error.ts';
import { readMarksOfDescriptors, translateMarks } from './sensitive-mark.ts';

const require = createRequire(import.meta.url);

/** Where the bytes of a FileDescriptorSet came from, for messages, and the bytes. */
export interface ProtosetSource {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** One .proto file of a set. */
export interface ProtosetFile {
  /** Its import path. */
  readonly path: string;
  readonly packageName: string;
  readonly imports: readonly string[];
  /** The messages and enums at its top, made anew each time: a type belongs to one root. */
  build(): readonly (protobuf.Type | protobuf.Enum)[];
}

/** The files of FileDescriptorSets. Of two of one import path the first counts. */
export interface Protosets {
  file(path: string): ProtosetFile | undefined;
  /** The file that declares a message, by the message's full name. */
  declaring(fullName: string): ProtosetFile | undefined;
  /** Full names of the messages at the top of all files. */
  readonly messages: readonly string[];
}

export const NO_PROTOSETS: Protosets = {
  file: () => undefined,
  declaring: () => undefined,
  messages: [],
};

/**
 * What `buf build -o FILE`, or `protoc --include_imports --descriptor_set_out=FILE`, wrote. Throws CompileError
 * `bad-protoset`.
 * https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */
export function readProtosets(sources: readonly ProtosetSource[]): Protosets {
  if (sources.length === 0) return NO_PROTOSETS;
  readMarksOfDescriptors(loadDescriptor());
  const files = new Map<string, ProtosetFile>();
  const declaring = new Map<string, ProtosetFile>();
  for (const source of sources)
    for (const decoded of decodeSet(source)) {
      const file = toFile(decoded, source.path);
      if (files.has(file.path)) continue;
      files.set(file.path, file);
      for (const { name = '' } of decoded.messageType ?? []) {
        const fullName = file.packageName === '' ? name : `${file.packageName}.${name}`;
        if (!declaring.has(fullName)) declaring.set(fullName, file);
      }
    }
  return {
    file: path => files.get(path),
    declaring: fullName => findOuter(fullName, declaring),
    messages: [...declaring.keys()],
  };
}

/** 15 ms of CPU, which the start of a server without such sets does without. */
function loadDescriptor(): typeof descriptor {
  return require('protobufjs/ext/descriptor.js');
}

/** A nested message is in the file of what holds it. */
function findOuter(fullName: string, declaring: ReadonlyMap<string, ProtosetFile>): ProtosetFile | undefined {
  const parts = fullName.split('.');
  for (let length = parts.length; length > 0; length--) {
    const file = declaring.get(parts.slice(0, length).join('.'));
    if (file !== undefined) return file;
  }
  return undefined;
}

function decodeSet({ path, bytes }: ProtosetSource): readonly IFileDescriptorProto[] {
  let files: readonly IFileDescriptorProto[];
  try {
    const set = loadDescriptor().FileDescriptorSet.decode(bytes) as unknown as {
      file?: IFileDescriptorProto[];
    };
    files = set.file ?? [];
  } catch (cause) {
    throw bad(path, `it cannot be read: ${toMessage(cause)}`, cause);
  }
  if (files.length === 0 || files.some(({ name }) => !name)) throw bad(path, 'it holds no .proto files');
  return files;
}

/** Everything is built once here, so that what is wrong with a set shows at the start and not at a look-up. */
function toFile(file: IFileDescriptorProto, source: string): ProtosetFile {
  const { name: path = '', messageType = [], enumType = [] } = file;
  const context = toContext(file);
  const messages = messageType.map(withoutExtensions);
  const build = (): (protobuf.Type | protobuf.Enum)[] => [
    ...messages.map(message => {
      const type = protobuf.Type.fromDescriptor(message, context);
      translateMarks(type);
      return type;
    }),
    ...enumType.map(one => protobuf.Enum.fromDescriptor(one, context)),
  ];
  try {
    build();
  } catch (cause) {
    throw bad(source, `${path}: ${toMessage(cause)}`, cause);
  }
  return {
    path,
    packageName: file.package ?? '',
    imports: (file.dependency as readonly string[] | undefined) ?? [],
    build,
  };
}

/** The numbers that descriptors have for editions. */
const EDITIONS: Readonly<Record<number, string>> = { 1000: '2023', 1001: '2024' };

/** Without a word it is proto2. */
function toContext({ syntax, edition, options }: IFileDescriptorProto): IDescriptorContext {
  const features = (options as { features?: object } | undefined)?.features;
  return {
    edition: syntax === 'editions' ? (EDITIONS[Number(edition)] ?? '2023') : syntax || 'proto2',
    ...(features === undefined || features === null ? {} : { features }),
  };
}

/** Extensions of messages are options of fields and files here: they change no bytes of a resource. */
function withoutExtensions(message: IDescriptorProto): IDescriptorProto {
  const { extension: _, nestedType = [], ...rest } = message;
  return loadDescriptor().DescriptorProto.create({
    ...rest,
    nestedType: nestedType.map(withoutExtensions),
  }) as IDescriptorProto;
}

function bad(path: string, what: string, cause?: unknown): CompileError {
  return new CompileError('bad-protoset', `--protoset ${path}: ${what}`, {
    cause,
    hint: `Write it with \`buf build -o ${path}\` or \`protoc --include_imports --descriptor_set_out=${path} …\`.`,
  });
}
