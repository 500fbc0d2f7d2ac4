import { parseDocument } from '../model/document.ts';
import type { Fault } from '../model/error.ts';
import { type PluginDocument, parsePluginDocument } from '../model/plugin-document.ts';
import { locateFault } from './apply-plan.ts';
import { CliError } from './cli-error.ts';
import { readDocuments } from './read-documents.ts';

/** What a module is to be started with. */
export interface CheckedPlugin {
  readonly plugin: PluginDocument;
  /** A fault as one line, with its place in the file that it came from. */
  locate(fault: Fault): string;
}

/** The spec of a document whose only content is a configuration. */
const CONFIGURATION = '/spec/pluginConfig';

/**
 * The plugin that `--plugin FILE` holds, or one with the configuration of `--config FILE`, or one without any. Throws
 * CliError `bad-file`, with all faults of the document.
 */
export function readCheckedPlugin(files: {
  readonly plugin?: string;
  readonly config?: string;
}): CheckedPlugin {
  if (files.plugin !== undefined) return fromPlugin(files.plugin);
  if (files.config !== undefined) return fromConfiguration(files.config);
  return { plugin: parse({}), locate: ({ message }) => message };
}

function fromPlugin(path: string): CheckedPlugin {
  const plugins = readDocuments([path]).flatMap(source => {
    const parsed = parseDocument(source.value);
    if (Array.isArray(parsed))
      throw toBadFile(parsed.map(fault => locateFault(source, fault, fault.code).line));
    return parsed.kind === 'plugin' ? [{ source, plugin: parsed.document }] : [];
  });
  const [only, ...others] = plugins;
  if (only === undefined || others.length > 0)
    throw new CliError('bad-file', `${path} holds ${plugins.length} plugins`, {
      hint: 'Name a file that holds the one plugin that this module is for.',
    });
  const { source, plugin } = only;
  return { plugin, locate: fault => locateFault(source, fault, undefined).line };
}

function fromConfiguration(path: string): CheckedPlugin {
  const [source, ...others] = readDocuments([path]);
  if (others.length > 0) throw toBadFile([`${path}: one configuration was expected, not several documents`]);
  if (source === undefined) return { plugin: parse({}), locate: ({ message }) => `${path}: ${message}` };
  const locate = (fault: Fault) => locateFault(source, inConfiguration(fault), undefined).line;
  return { plugin: parse({ pluginConfig: source.value }, locate), locate };
}

function parse(spec: object, locate: CheckedPlugin['locate'] = ({ message }) => message): PluginDocument {
  const parsed = parsePluginDocument({
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'checked' },
    spec: { url: 'file:///checked.wasm', ...spec },
  });
  if (Array.isArray(parsed)) throw toBadFile(parsed.map(locate));
  return parsed;
}

/** As the writer of the file sees it: its root is the configuration. */
function inConfiguration(fault: Fault): Fault {
  return { ...fault, pointer: fault.pointer.replace(CONFIGURATION, '') };
}

function toBadFile(lines: readonly string[]): CliError {
  return new CliError('bad-file', lines.join('\n'));
}
