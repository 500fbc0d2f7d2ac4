import type {
  InspectedArtifact,
  InspectedModule,
  InspectedSymbol,
  ModuleInspection,
} from '../model/module-inspection.ts';
import { formatDigest, formatSize, NONE } from './format.ts';
import { formatTable } from './table.ts';

/** All about a module and the artifact around it. */
export function describeInspection({ name, artifact, module, fault }: ModuleInspection): string {
  const annotations = Object.entries(artifact?.manifest?.annotations ?? {}).sort();
  return [
    toHead(name, module),
    ...toDigests(artifact, module),
    ...(module === undefined ? [] : toFacts(module)),
    ...(artifact === undefined ? [] : [`  signature         ${artifact.signatures.text}`]),
    ...(fault === undefined ? [] : [`  no module: ${fault.message}`, ...indent([fault.hint ?? ''])]),
    ...section('index', toIndexTable(artifact)),
    ...section('layers', toLayerTable(artifact)),
    ...section(
      'annotations',
      annotations.map(([key, value]) => `${key}   ${value.replace(/\s*\n\s*/g, ' ')}`),
    ),
    ...section('schema of its configuration', toSchemaLines(module?.configSchema)),
    ...section(`imports (${module?.imports.length ?? 0})`, (module?.imports ?? []).map(toSymbol)),
    ...section(`exports (${module?.exports.length ?? 0})`, (module?.exports ?? []).map(toSymbol)),
  ].join('\n');
}

function toHead(name: string, module: InspectedModule | undefined): string {
  return module === undefined ? name : `${name}   ${module.layout}   ${formatSize(module.sizeBytes)}`;
}

/** The three that can be pinned; whole, so that they can be pasted. */
function toDigests(artifact: InspectedArtifact | undefined, module: InspectedModule | undefined): string[] {
  const manifest = artifact?.manifest?.digest;
  return [
    ...(artifact === undefined ? [] : [`  reference digest  ${artifact.digest}`]),
    ...(manifest === undefined || manifest === artifact?.digest ? [] : [`  manifest digest   ${manifest}`]),
    ...(module === undefined ? [] : [`  module sha256     ${module.sha256}`]),
  ];
}

function toFacts({ abi, memoryPages }: InspectedModule): string[] {
  const memory = memoryPages < 16 ? `${memoryPages * 64} KiB` : `${Math.round(memoryPages / 16)} MiB`;
  return [
    `  ABI               ${abi ?? `${NONE}, not a Proxy-Wasm plugin`}`,
    `  memory at start   ${memory}`,
  ];
}

function toIndexTable(artifact: InspectedArtifact | undefined): string[] {
  const children = artifact?.children ?? [];
  if (children.length === 0) return [];
  const rows = children.map(({ platform, mediaType, digest, chosen }) => [
    platform || NONE,
    mediaType,
    formatDigest(digest),
    chosen ? 'taken' : '',
  ]);
  return formatTable({ headings: ['PLATFORM', 'TYPE', 'DIGEST', ''], rows }).split('\n');
}

function toLayerTable(artifact: InspectedArtifact | undefined): string[] {
  const manifest = artifact?.manifest;
  if (manifest === undefined) return [];
  const { configType, artifactType, layers } = manifest;
  const rows = layers.map(({ mediaType, sizeBytes, digest, title }) => [
    mediaType,
    formatSize(sizeBytes),
    formatDigest(digest),
    title ?? NONE,
  ]);
  return [
    `config ${configType}${artifactType === undefined ? '' : `, artifact type ${artifactType}`}`,
    ...formatTable({ headings: ['TYPE', 'SIZE', 'DIGEST', 'TITLE'], rows }).split('\n'),
  ];
}

/** JSON as it would stand in config.schema.json. */
function toSchemaLines(schema: unknown): readonly string[] {
  if (schema === undefined) return [];
  return typeof schema === 'string' ? [schema] : JSON.stringify(schema, null, 2).split('\n');
}

function toSymbol({ kind, name, signature }: InspectedSymbol): string {
  if (kind !== 'function') return `${name}   ${kind}`;
  return signature === undefined ? name : `${name} (${signature.replace('->', ') -> ')}`.replace(/ -> $/, '');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...indent(lines)];
}

function indent(lines: readonly string[]): string[] {
  return lines.filter(line => line !== '').map(line => `  ${line}`);
}
