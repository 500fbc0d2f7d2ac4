import { registerHooks } from 'node:module';

const ROOT = new URL('./', import.meta.url).href;
const IS_CLONE = import.meta.url.endsWith('.ts');

/**
 * Imports with the names of our own files taken as they are written. In a clone Node would look for each of 4,000 of them on the
 * disk, follow links and read package.json for its kind: 150 ms of CPU of the server's start. In the published package
 * the server is one file, and imported as others are.
 */
export async function importQuickly<T>(load: () => Promise<T>): Promise<T> {
  if (!IS_CLONE) return load();
  const hooks = registerHooks({
    resolve(name, context, next) {
      const from = context.parentURL;
      if (!name.startsWith('.') || !from?.startsWith(ROOT)) return next(name, context);
      return { url: new URL(name, from).href, format: 'module-typescript', shortCircuit: true };
    },
  });
  try {
    return await load();
  } finally {
    hooks.deregister();
  }
}
