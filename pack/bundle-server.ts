/**
 * Part of `prepack`, after `tsc`: makes one file of `dist/control-plane.js` and all that the server alone loads. To find, read and
 * link 600 files took a quarter of the CPU of a start, and 8 MB. Nothing is minified, and each part is headed by
 * the file that it came from: a stack trace names functions as they were written.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const SERVER = resolve(DIST, 'control-plane.js');
/** What has been loaded when `attache serve` comes to loading the server. */
const COMMAND = ['main.js', 'own-modules.js', 'cli/commands/serve.js', 'cli/log-line.js'];
/** Dependencies stay packages: who installs us sees their versions, and gets their repairs. */
const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  packages: 'external',
  logLevel: 'warning',
} satisfies BuildOptions;

const IS_OURS = /^\./;

/** Files that the command has loaded: a second copy of one would have classes of its own, and errors be no AttacheError. */
async function findLoaded(): Promise<ReadonlySet<string>> {
  const ownOnly: Plugin = {
    name: 'leaves out what is imported on demand',
    setup: ({ onResolve }) =>
      onResolve({ filter: IS_OURS }, ({ kind }) =>
        kind === 'dynamic-import' ? { external: true } : undefined,
      ),
  };
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: COMMAND.map(name => resolve(DIST, name)),
    outdir: DIST,
    write: false,
    metafile: true,
    plugins: [ownOnly],
  });
  return new Set(Object.keys(metafile.inputs).map(path => resolve(path)));
}

/** As seen from the bundle. */
function toSpecifier(path: string): string {
  return `./${relative(dirname(SERVER), path).replaceAll('\\', '/')}`;
}

/**
 * V8 keeps a text at two bytes a character where one is not ASCII: 1.4 MB more. What is left of them stands in comments and regular
 * expressions; strings were escaped before.
 */
function toAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function bundleServer(): Promise<void> {
  const loaded = await findLoaded();
  const inPlace: Plugin = {
    name: 'keeps apart what is loaded, and every file where it was',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: IS_OURS }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        return loaded.has(file) ? { path: toSpecifier(file), external: true } : { path: file };
      });
      // Paths that code forms from its own place lead where they did.
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const place = `new URL(${JSON.stringify(toSpecifier(path))}, import.meta.url).href`;
        return { contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', place) };
      });
    },
  };
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [SERVER],
    outfile: SERVER,
    write: false,
    plugins: [inPlace],
  });
  for (const { path, text } of outputFiles) await writeFile(path, toAscii(text));
}

await bundleServer();
