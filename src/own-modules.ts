import { registerHooks } from 'node:module';

const ROOT = new URL('./', import.meta.url).href;
const FORMAT = import.meta.url.endsWith('.ts') ? 'module-typescript' : 'module';

/**
 * Imports with the names of our own files taken as they are written. Node would look for each of 4,000 of them on the disk,
 * follow links and read package.json for its kind: 150 ms of CPU of the server's start.
 */
export async function importQuickly<T>(load: () => Promise<T>): Promise<T> {
  const hooks = registerHooks({
    resolve(name, context, next) {
      const from = context.parentURL;
      if (!name.startsWith('.') || !from?.startsWith(ROOT)) return next(name, context);
      return { url: new URL(name, from).href, format: FORMAT, shortCircuit: true };
    },
  });
  try {
    return await load();
  } finally {
    hooks.deregister();
  }
}
