import type { PluginSpec } from '../../model/plugin-spec.ts';
import { ModuleError } from '../module-error.ts';
import { findConfigFaults } from './find-config-faults.ts';
import { readConfigSchema } from './read-config-schema.ts';

/**
 * Refuses a configuration that does not fit the schema which the module brings for it; a module without one takes
 * anything here. Throws ModuleError `config-mismatch` with a pointer for each fault, or `bad-config-schema`.
 */
export function checkConfig(bytes: Uint8Array, { pluginConfig }: Pick<PluginSpec, 'pluginConfig'>): void {
  const schema = readConfigSchema(bytes);
  if (schema === undefined) return;
  const faults = findConfigFaults(schema, pluginConfig);
  const [first] = faults;
  if (first === undefined) return;
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
  const where = first.pointer.replace(/^\/spec\//, '').replaceAll('/', '.');
  throw new ModuleError('config-mismatch', `${where}: ${first.message}${more}`, {
    hint: first.hint ?? 'The module brings a schema of its configuration: attache inspect shows it.',
    faults,
  });
}
