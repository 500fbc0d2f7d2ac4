import { randomBytes } from 'node:crypto';
import { pushModule } from '../src/module/push-module.ts';
import { buildProxyWasm, buildWasm } from '../test/fixtures/wasm-builder.ts';
import { until } from '../test/harness/wait.ts';
import type { MeasuredServer } from './measured-server.ts';

/** What an Envoy would run, and does nothing. */
export const WHOLE = buildProxyWasm();
/** The check after the download refuses it, so that nothing but the pull takes place: it says no ABI. */
export const REFUSED = buildWasm({});

/** Pushes the module, made up to the size with bytes that nobody has seen; gives its reference. */
export async function pushFresh(
  host: string,
  name: string,
  module: Uint8Array,
  sizeBytes: number,
): Promise<string> {
  const reference = `${host}/bench/${name}`;
  const bytes = Buffer.concat([module, toCustomSection(sizeBytes - module.length)]);
  await pushModule({ bytes, reference, insecureRegistries: [host], dockerConfigPath: undefined });
  return reference;
}

/** A custom section of that many bytes, its head of 11 included. https://webassembly.github.io/spec/core/binary/modules.html#custom-section */
function toCustomSection(sizeBytes: number): Buffer {
  const section = randomBytes(sizeBytes);
  section[0] = 0;
  // LEB128 of fixed width: any number may be written with five bytes.
  for (let at = 0, rest = sizeBytes - 6; at < 5; at++, rest >>>= 7)
    section[1 + at] = (rest & 0x7f) | (at < 4 ? 0x80 : 0);
  section.write('\x04rand', 6, 'latin1');
  return section;
}

/** Applies a plugin with this module, and waits until the server is through with it. */
export async function applyFresh(
  { attache }: MeasuredServer,
  reference: string,
  phase: 'NotStarted' | 'Succeeded',
): Promise<void> {
  const name = /([^/]+)$/.exec(reference)![1]!.replace(':', '-');
  await attache.applyPlugin(name, { url: `oci://${reference}` });
  // Seldom: each look is work for the server as well.
  await until(
    async () => {
      const { status } = (await attache.must('GET', `/v1/plugins/default/${name}`)) as {
        status: { phase: string; code: string | null; message: string | null };
      };
      if (status.phase === phase) return true;
      if (status.phase === 'Validating' || status.phase === 'Progressing') return false;
      throw new Error(`${name} is ${status.phase}: ${status.message}`);
    },
    { what: `${name} to be ${phase}`, everyMs: 100, deadlineMs: 30_000 },
  );
}
