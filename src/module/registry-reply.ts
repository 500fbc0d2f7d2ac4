import type { IncomingMessage, ServerResponse } from 'node:http';
import { ModuleError } from './module-error.ts';
import type { RegistryAction } from './registry-audit.ts';
import type { RegistryRefusal } from './registry-refusal.ts';

/** One request to the built-in registry. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Puts what was changed into the audit; before it is answered. */
  readonly audit: (action: RegistryAction, subject: string, text: string) => Promise<void>;
}

/** The answers of the built-in registry that more than one request gets. */

/** 201 for a blob that can be pulled now. */
export function sendBlobCreated(response: ServerResponse, repository: string, digest: string): void {
  sendEmpty(response, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}

/** Where an upload goes on, and how far it is. */
export function toProgress(
  repository: string,
  { id, sizeBytes }: { readonly id: string; readonly sizeBytes: number },
): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
    'docker-upload-uuid': id,
  };
}

export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': 0 }) });
  response.end();
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    ...headers,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export function sendError(
  response: ServerResponse,
  { status, code, message, headers }: Pick<RegistryRefusal, 'status' | 'code' | 'message' | 'headers'>,
): void {
  if (response.headersSent) return void response.destroy();
  sendJson(response, status, { errors: [{ code, message }] }, headers);
}

/** `Link` to the next page of a list. */
export function toNextLink(path: string, query: Readonly<Record<string, string>>): Record<string, string> {
  return { link: `<${path}?${new URLSearchParams(query)}>; rel="next"` };
}

/** A body whose connection stays open when it is not read to its end, so that the answer still arrives. */
export function readChunks(request: IncomingMessage): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/** A whole body; throws `too-big`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooBig = () => new ModuleError('too-big', `more than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooBig();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of readChunks(request)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooBig();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
