import { isOciUrl, type PluginSpec } from '../model/plugin-spec.ts';
import { openPullSecret, pullSecretKey, type Seal } from '../model/pull-secret.ts';
import type { Store } from '../store/store.ts';
import { ModuleError } from './module-error.ts';
import type { PullCredentials } from './registry-credentials.ts';

/** The secret that a plugin names; undefined: it names none, or its scheme has no use for one. */
export type ReadPullSecret = (
  spec: Pick<PluginSpec, 'namespace' | 'imagePullSecret' | 'url'>,
) => Promise<PullCredentials | undefined>;

/** Reads secrets of a plugin's own namespace. Throws ModuleError `pull-secret-missing`, `pull-secret-locked`. */
export function createPullSecretReader(store: Store, seal: Seal): ReadPullSecret {
  return async ({ namespace, imagePullSecret: name, url }) => {
    if (name === undefined || !isOciUrl(url)) return undefined;
    const secret = pullSecretKey({ namespace, name });
    const faults = [{ pointer: '/spec/imagePullSecret', message: `there is no pull secret ${secret}` }];
    const stored = await store.get('PullSecret', secret);
    if (stored === undefined)
      throw new ModuleError('pull-secret-missing', `imagePullSecret: there is no pull secret ${secret}`, {
        faults,
        hint: `Store it in namespace ${namespace}: attache apply -f SECRET.yaml. Then the module is fetched by itself.`,
      });
    const config = openPullSecret(seal, stored.value);
    if (config !== undefined) return { secret, config };
    throw new ModuleError('pull-secret-locked', `pull secret ${secret} does not open with the server’s key`, {
      hint: 'Store it again: attache apply -f SECRET.yaml. The key it was stored with was another one.',
    });
  };
}

/** For what can do without: undefined where the secret is not to be had. */
export async function orNone(
  reading: Promise<PullCredentials | undefined>,
): Promise<PullCredentials | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ModuleError) return undefined;
    throw error;
  }
}
