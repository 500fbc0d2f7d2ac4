import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes an OCI image layout by hand, as a source for skopeo. */
export class OciLayout {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async blob(bytes: Uint8Array): Promise<{ readonly digest: string; readonly size: number }> {
    const hex = createHash('sha256').update(bytes).digest('hex');
    await mkdir(join(this.directory, 'blobs', 'sha256'), { recursive: true });
    await writeFile(join(this.directory, 'blobs', 'sha256', hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  }

  async json(mediaType: string, value: object): Promise<{ mediaType: string; digest: string; size: number }> {
    return { mediaType, ...(await this.blob(Buffer.from(JSON.stringify(value)))) };
  }

  /** The one entry of index.json, to be named as `oci:DIRECTORY:it`. */
  async finish(descriptor: object): Promise<void> {
    await writeFile(join(this.directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const annotations = { 'org.opencontainers.image.ref.name': 'it' };
    const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
    await writeFile(join(this.directory, 'index.json'), JSON.stringify(index));
  }
}
