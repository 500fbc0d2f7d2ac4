import * as grpc from '@grpc/grpc-js';
import { createFileDescriptors, type FileDescriptors } from './file-descriptors.ts';
import type { ServiceProtos } from './service-protos.ts';

/*
 * Server reflection, v1 and v1alpha, so that grpcurl and its like need no .proto files.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */

export const REFLECTION_SERVICES = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

/** The fields of a ServerReflectionRequest and Response that are used, under their names in the proto. */
interface ReflectionRequest {
  readonly host?: string;
  readonly file_by_filename?: string;
  readonly file_containing_symbol?: string;
  readonly file_containing_extension?: object;
  readonly all_extension_numbers_of_type?: string;
  readonly list_services?: string;
}

/** What is answered besides `valid_host` and `original_request`. */
export type ReflectionAnswer =
  | { readonly list_services_response: { readonly service: readonly { readonly name: string }[] } }
  | { readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Uint8Array[] } }
  | { readonly error_response: { readonly error_code: grpc.status; readonly error_message: string } };

/** Answers one request; `services` is what there is to call. Extensions of messages are not served: there are none. */
export function answerReflection(
  request: ReflectionRequest,
  services: readonly string[],
  files: FileDescriptors,
): ReflectionAnswer {
  const { file_by_filename: path, file_containing_symbol: symbol } = request;
  if (request.list_services !== undefined)
    return { list_services_response: { service: services.map(name => ({ name })) } };
  if (path !== undefined) return toFiles(files.byName(path), path);
  if (symbol !== undefined) return toFiles(files.bySymbol(symbol), symbol);
  return toError(grpc.status.NOT_FOUND, 'there are no extensions');
}

function toFiles(found: readonly Uint8Array[] | undefined, what: string): ReflectionAnswer {
  return found === undefined
    ? toError(grpc.status.NOT_FOUND, `${what} is not known here`)
    : { file_descriptor_response: { file_descriptor_proto: found } };
}

function toError(code: grpc.status, message: string): ReflectionAnswer {
  return { error_response: { error_code: code, error_message: message } };
}

type Call = grpc.ServerDuplexStream<Buffer, Buffer>;

/** `services` is asked at every listing. The protos are loaded when somebody asks for the first time. */
export function addReflection(
  server: grpc.Server,
  services: () => readonly string[],
  protos: () => ServiceProtos,
): void {
  let files: FileDescriptors | undefined;
  const bytes = (message: Buffer): Buffer => message;
  for (const service of REFLECTION_SERVICES) {
    const types = () => {
      const { root } = protos();
      const folder = service.slice(0, service.lastIndexOf('.'));
      return {
        request: root.lookupType(`${folder}.ServerReflectionRequest`),
        response: root.lookupType(`${folder}.ServerReflectionResponse`),
      };
    };
    const definition = {
      info: {
        path: `/${service}/ServerReflectionInfo`,
        requestStream: true,
        responseStream: true,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    } satisfies grpc.ServiceDefinition;
    const answer = (message: Buffer): Buffer => {
      const { request, response } = types();
      const asked = request.decode(message);
      files ??= createFileDescriptors(protos());
      const content = answerReflection(request.toObject(asked), services(), files);
      const host = request.toObject(asked).host;
      const whole = response.fromObject({ valid_host: host, original_request: asked, ...content });
      return Buffer.from(response.encode(whole).finish());
    };
    server.addService(definition, {
      info(call: Call) {
        call.on('data', (message: Buffer) => {
          try {
            call.write(answer(message));
          } catch {
            call.emit('error', { code: grpc.status.INVALID_ARGUMENT, details: 'not a reflection request' });
          }
        });
        call.on('end', () => call.end());
        call.on('error', () => {});
      },
    });
  }
}
