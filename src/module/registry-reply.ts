import type { ServerResponse } from 'node:http';

/** The answers of the built-in registry that more than one request gets. */

export function sendCreated(response: ServerResponse, repository: string, digest: string): void {
  response.writeHead(201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
  });
  response.end();
}

export function sendProgress(
  response: ServerResponse,
  repository: string,
  id: string,
  sizeBytes: number,
  status = 202,
): void {
  response.writeHead(status, {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
    'docker-upload-uuid': id,
    ...(status === 204 ? {} : { 'content-length': 0 }),
  });
  response.end();
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  if (response.headersSent) return void response.destroy();
  sendJson(response, status, { errors: [{ code, message }] });
}
