import { ModuleError } from './module-error.ts';

/** Reads a body whole; more than `maxBytes` is `too-big`, never a silent cut. `what` is named in the message. */
export async function readBounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new ModuleError('too-big', `${what} has more than ${maxBytes} bytes`, {
        hint: 'Check what the URL names: it does not look like a module.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
