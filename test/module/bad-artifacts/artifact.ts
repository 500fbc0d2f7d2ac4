import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModuleErrorCode } from '../../../src/module/module-error.ts';
import { toDigest } from '../registry-client.ts';

/** One artifact that must not become a revision. */
export interface BadArtifact {
  /** What is wrong with it. */
  readonly name: string;
  readonly code: ModuleErrorCode;
  /** Puts it together; answers what the plugin's url has behind the repository, if that is a text, default `:1`. */
  readonly build: (artifact: Artifact) => unknown;
  /** Of the plugin's document. */
  readonly sha256?: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export const OCI = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const CNCF_CONFIG = 'application/vnd.wasm.config.v0+json';
export const TAR_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const WASM = 'application/wasm';

type Answer = (response: ServerResponse) => void;

/** A repository of a registry that serves whatever it is told to: no registry would take most of these. */
export class Artifact {
  readonly #answers = new Map<string, Answer>();

  /** Serves bytes as a blob; the descriptor tells the truth unless `more` says otherwise. */
  blob(mediaType: string, bytes: Uint8Array, more: object = {}): Descriptor {
    const digest = toDigest(bytes);
    this.answer(`blobs/${digest}`, response => send(response, bytes, 'application/octet-stream'));
    return { mediaType, digest, size: bytes.length, ...more };
  }

  /** Serves bytes as the blob of another digest. */
  falseBlob(descriptor: Descriptor, bytes: Uint8Array): Descriptor {
    this.answer(`blobs/${descriptor.digest}`, response => send(response, bytes, 'application/octet-stream'));
    return descriptor;
  }

  config(mediaType = IMAGE_CONFIG): Descriptor {
    return this.blob(mediaType, Buffer.from('{}'));
  }

  /** Serves a manifest or index by its digest. */
  manifest(value: object, contentType = OCI): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = toDigest(bytes);
    this.answer(`manifests/${digest}`, response => send(response, bytes, contentType));
    return { mediaType: contentType, digest, size: bytes.length };
  }

  /** Serves these bytes, or this value, under the tag 1. */
  tag(value: object | Buffer, contentType = OCI): void {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
    this.answer('manifests/1', response => send(response, bytes, contentType));
  }

  /** The tag 1 is an image manifest with these layers. */
  image(layers: readonly unknown[], configType = IMAGE_CONFIG, more: object = {}): void {
    this.tag(this.toImage(layers, configType, more));
  }

  toImage(layers: readonly unknown[], configType = IMAGE_CONFIG, more: object = {}): object {
    return { schemaVersion: 2, mediaType: OCI, config: this.config(configType), layers, ...more };
  }

  /** The tag 1 is an index. */
  index(manifests: readonly unknown[]): void {
    this.tag({ schemaVersion: 2, mediaType: INDEX, manifests }, INDEX);
  }

  answer(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  handle(path: string, response: ServerResponse): void {
    const answer = this.#answers.get(path);
    if (answer !== undefined) answer(response);
    else send(response, Buffer.from('{"errors":[{"code":"NOT_FOUND"}]}'), 'application/json', 404);
  }
}

/** Serves each artifact as the repository `bad/<index>`. */
export function serveArtifacts(artifacts: readonly Artifact[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const [, index, path = ''] = /^\/v2\/bad\/(\d+)\/(.*)$/.exec(request.url ?? '') ?? [];
    const artifact = artifacts[Number(index)] ?? new Artifact();
    artifact.handle(path, response);
  };
}

export function send(response: ServerResponse, bytes: Uint8Array, contentType: string, status = 200): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length }).end(bytes);
}
