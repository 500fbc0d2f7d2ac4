import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import {
  type ConfigFlags,
  type Environment,
  parseYaml,
  readSources,
  type Sources,
} from './config-sources.ts';
import type { DocumentFault } from './model/document-error.ts';
import { AttacheError, type Fault, toMessage } from './model/error.ts';
import { toPublishToken } from './model/publish-token.ts';
import { parseSize } from './model/quantity-text.ts';
import { NO_REGISTRY_SETTINGS, type RegistrySettings } from './model/registry-settings.ts';
import { parseRegistrySettings } from './model/registry-settings-document.ts';
import { parseDuration } from './model/rollout-units.ts';
import { NO_SIGNATURE_POLICY, type SignaturePolicy } from './model/signature-policy.ts';
import { parseSignaturePolicy } from './model/signature-policy-document.ts';
import { parseTransport, type TransportSettings } from './model/transport-settings.ts';
import { parseXdsLimits, type XdsLimits } from './model/xds-limits.ts';
import { DEFAULTS } from './settings.ts';

export type { ConfigFlags, Environment };

/** Everything `attache serve` can be told, read once, frozen. Paths are absolute. */
export interface Config extends TransportSettings {
  /** Holds attache.db, modules/, addresses.json, admin-token. */
  readonly dataDirectory: string;
  readonly xdsListen: ListenAddress;
  readonly modulesListen: ListenAddress;
  readonly apiListen: ListenAddress;
  /** Has metrics and nothing else, for scrapers without a token; undefined: there is no such port. */
  readonly metricsListen: ListenAddress | undefined;
  /** The host that bootstraps and module URLs name; undefined: each listener's own host. */
  readonly advertiseHost: string | undefined;
  /** token: the API asks for tokens on loopback too; off loopback it always does. */
  readonly apiAuth: ApiAuthSetting;
  /** Which of our listeners speak plain text off loopback, and where there is a certificate. */
  readonly allowPlaintext: readonly Endpoint[];
  /** `HOST:PORT` of registries that are spoken to over plain HTTP. The built-in one needs no entry. */
  readonly insecureRegistries: readonly string[];
  /** Mirrors, plain HTTP and CAs of registries. */
  readonly registries: RegistrySettings;
  /** A plugin here selects nodes of every namespace. */
  readonly rootNamespace: string;
  /** A docker config.json with registry credentials; it need not exist. */
  readonly dockerConfigPath: string | undefined;
  /** `file://` modules must lie below it; undefined: `file://` is refused. */
  readonly moduleDirectory: string | undefined;
  /** Of all that is kept below modules/: what was fetched and what was pushed to the built-in registry. */
  readonly moduleQuotaBytes: number;
  /** Holds what is asked of those who push to the built-in registry; undefined: see module/publish-right.ts. */
  readonly publishTokenPath: string | undefined;
  /** `HOST` or `HOST:PORT` that may resolve to a private or loopback address when fetched from; `*`: any. */
  readonly allowPrivateHosts: readonly string[];
  /** Between two looks at a tag that is followed, ms; undefined: tags are looked at only when a plugin is applied. */
  readonly tagIntervalMs: number | undefined;
  /** Holds the key of stored secrets; made at the first start. */
  readonly secretKeyPath: string;
  /** Who may sign modules, and which sources have to be signed. */
  readonly signatures: SignaturePolicy;
  /** FileDescriptorSets with types that Envoy resources may use beside those that we know. */
  readonly protosets: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** What clients of the xDS port may take. */
  readonly xdsLimits: XdsLimits;
  /** `HOST` or `HOST:PORT` of Envoys' admin interfaces that may be asked beside loopback. */
  readonly allowNodeAdmin: readonly string[];
  /** Logs of Envoys below it may be read; undefined: none. */
  readonly nodeLogDirectory: string | undefined;
  /** Where people reach the API, without a slash at the end: links lead there; undefined: its own address. */
  readonly publicUrl: string | undefined;
  /** A change over REST has to name the version that it is of. */
  readonly requireIfMatch: boolean;
  readonly logLevel: LogLevel;
}

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export type Endpoint = (typeof ENDPOINTS)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];
export type ApiAuthSetting = (typeof API_AUTH)[number];

/** In the data directory. */
export const ADMIN_TOKEN_FILE = 'admin-token';

const API_AUTH = ['loopback', 'token'] as const;
const ENDPOINTS = ['xds', 'modules', 'api'] as const;
const IF_MATCH = ['optional', 'required'] as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** A few modules of the largest size, and what they come in. */
const LEAST_QUOTA_BYTES = 100_000_000;
const SHORTEST_INTERVAL_MS = 1_000;

/** `bad-config`: one or more settings are wrong; `faults` names each. */
export class ConfigError extends AttacheError<'bad-config'> {}

/**
 * Flags win over `ATTACHE_*`, which wins over the YAML file (`--config`, `$ATTACHE_CONFIG`, or ./attache.yaml
 * where it exists), which wins over the defaults. Throws ConfigError with all faults together.
 */
export function readConfig(flags: ConfigFlags, env: Environment): Config {
  const faults: Fault[] = [];
  const source = readSources(flags, env, faults);
  const dataDirectory = resolve(source.one('data') ?? DEFAULTS.data);
  const xdsListen = readAddress(source, 'xds-listen', faults);
  const allowPlaintext = source
    .many('allow-plaintext')
    .filter((name): name is Endpoint => isOneOf(name, ENDPOINTS, 'allow-plaintext', faults));
  const config: Config = Object.freeze({
    dataDirectory,
    xdsListen,
    modulesListen: readAddress(source, 'modules-listen', faults),
    apiListen: readAddress(source, 'api-listen', faults),
    metricsListen: readMetricsAddress(source, faults),
    advertiseHost: readAdvertise(source, faults),
    apiAuth: readApiAuth(source, faults),
    allowPlaintext,
    ...readTransport(source, allowPlaintext, !isLoopback(xdsListen.host), faults),
    insecureRegistries: source.many('insecure-registry'),
    registries: readDocument(source, 'registries', NO_REGISTRY_SETTINGS, parseRegistrySettings, faults),
    rootNamespace: source.one('root-namespace') ?? DEFAULTS['root-namespace'],
    dockerConfigPath: readDockerConfigPath(source, env),
    moduleDirectory: toAbsolute(source.one('module-directory')),
    moduleQuotaBytes: readQuota(source, faults),
    publishTokenPath: readPublishToken(source, faults),
    allowPrivateHosts: source.many('allow-private-host'),
    tagIntervalMs: readTagInterval(source, faults),
    secretKeyPath: toAbsolute(source.one('secret-key')) ?? join(dataDirectory, 'secret-key'),
    signatures: readDocument(source, 'signatures', NO_SIGNATURE_POLICY, parseSignaturePolicy, faults),
    protosets: readProtosets(source, faults),
    xdsLimits: parseXdsLimits(source.many('xds-limit'), faults),
    allowNodeAdmin: source.many('allow-node-admin'),
    nodeLogDirectory: toAbsolute(source.one('node-log-directory')),
    publicUrl: readPublicUrl(source, faults),
    requireIfMatch: readIfMatch(source, faults) === 'required',
    logLevel: readLogLevel(source, faults),
  });
  checkExposure(config, faults);
  if (faults.length > 0)
    throw new ConfigError('bad-config', faults.map(fault => fault.message).join('\n'), { faults });
  return config;
}

/** Whether the API asks for tokens: where others than this machine reach it, or where that is wanted. */
export function asksTokens({ apiAuth, apiListen }: Pick<Config, 'apiAuth' | 'apiListen'>): boolean {
  return apiAuth === 'token' || !isLoopback(apiListen.host);
}

/** The host an Envoy is to use for one of our listeners. */
export function advertisedHost(config: Config, listen: ListenAddress): string {
  return config.advertiseHost ?? listen.host;
}

/** Whether a port speaks TLS: with a certificate all do that are not named in allow-plaintext. */
export function speaksTls({ tls, allowPlaintext }: Config, endpoint: Endpoint): boolean {
  return tls !== undefined && !allowPlaintext.includes(endpoint);
}

/** `HOST:PORT` or `[IPV6]:PORT`; undefined when it is neither. */
export function parseAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65535 ? undefined : { host, port };
}

/** The counterpart of parseAddress. */
export function formatAddress(address: ListenAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}

function readAddress(source: Sources, name: 'xds-listen' | 'modules-listen' | 'api-listen', faults: Fault[]) {
  const text = source.one(name) ?? DEFAULTS[name];
  const address = parseAddress(text);
  if (address === undefined)
    faults.push({
      pointer: `/${name}`,
      message: `--${name} ${text}: expected HOST:PORT, e.g. ${DEFAULTS[name]}`,
    });
  return Object.freeze(address ?? { host: '127.0.0.1', port: 0 });
}

function readAdvertise(source: Sources, faults: Fault[]): string | undefined {
  const host = source.one('advertise');
  if (host === undefined || (!isWildcard(host) && (isIP(host) !== 0 || /^[^\s:/?#@[\]]+$/.test(host))))
    return host;
  const message = `--advertise ${host}: expected a host that Envoys can connect to, without a port, e.g. attache.internal or 10.0.0.7`;
  faults.push({ pointer: '/advertise', message });
  return undefined;
}

function readMetricsAddress(source: Sources, faults: Fault[]): ListenAddress | undefined {
  const text = source.one('metrics-listen');
  const address = text === undefined ? undefined : parseAddress(text);
  if (text !== undefined && address === undefined) {
    const message = `--metrics-listen ${text}: expected HOST:PORT, e.g. 127.0.0.1:18003`;
    faults.push({ pointer: '/metrics-listen', message });
  }
  return address;
}

function readQuota(source: Sources, faults: Fault[]): number {
  const text = source.one('module-quota') ?? DEFAULTS['module-quota'];
  const bytes = parseSize(text);
  if (bytes === undefined || bytes < LEAST_QUOTA_BYTES)
    faults.push({
      pointer: '/module-quota',
      message: `--module-quota ${text}: expected a size of at least 100MB, e.g. ${DEFAULTS['module-quota']}`,
    });
  return bytes ?? 0;
}

function readPublicUrl(source: Sources, faults: Fault[]): string | undefined {
  const text = source.one('public-url');
  const url = text === undefined ? null : URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '')
    return url.href.replace(/\/+$/, '');
  const message = `--public-url ${text}: expected a URL without a query, e.g. https://attache.internal`;
  if (text !== undefined) faults.push({ pointer: '/public-url', message });
  return undefined;
}

function readIfMatch(source: Sources, faults: Fault[]): (typeof IF_MATCH)[number] {
  const text = source.one('if-match') ?? 'optional';
  return isOneOf(text, IF_MATCH, 'if-match', faults) ? text : 'optional';
}

function readApiAuth(source: Sources, faults: Fault[]): ApiAuthSetting {
  const how = source.one('api-auth') ?? DEFAULTS['api-auth'];
  return isOneOf(how, API_AUTH, 'api-auth', faults) ? how : 'token';
}

function readLogLevel(source: Sources, faults: Fault[]): LogLevel {
  const level = source.one('log-level') ?? DEFAULTS['log-level'];
  return isOneOf(level, LOG_LEVELS, 'log-level', faults) ? level : DEFAULTS['log-level'];
}

function isOneOf<T extends string>(
  text: string,
  known: readonly T[],
  name: string,
  faults: Fault[],
): text is T {
  if (known.some(one => one === text)) return true;
  faults.push({ pointer: `/${name}`, message: `--${name} ${text}: expected one of ${known.join(', ')}` });
  return false;
}

function readDockerConfigPath(source: Sources, env: Environment): string | undefined {
  const directory = env.DOCKER_CONFIG ?? (env.HOME === undefined ? undefined : join(env.HOME, '.docker'));
  return toAbsolute(source.one('docker-config') ?? (directory && join(directory, 'config.json')));
}

/** Files that a document names are relative to the working directory. */
function readDocument<T extends object>(
  source: Sources,
  name: 'registries' | 'signatures',
  absent: T,
  parse: (document: unknown, readNamed: (path: string) => string) => T | DocumentFault[],
  faults: Fault[],
): T {
  const value = source.raw(name);
  if (value === undefined) return absent;
  const isFile = typeof value === 'string';
  const what = isFile ? `--${name} ${value}` : name;
  try {
    const document = isFile ? parseYaml(readFileSync(value, 'utf8')) : value;
    const parsed = parse(document, path => readFileSync(path, 'utf8'));
    if (!isFaults(parsed)) return parsed;
    for (const { pointer, message, hint } of parsed)
      faults.push({
        pointer: `/${name}${pointer}`,
        message: `${what}: ${pointer}: ${message}${hint === undefined ? '' : `. ${hint}`}`,
      });
  } catch (error) {
    faults.push({ pointer: `/${name}`, message: `${what}: ${toMessage(error)}` });
  }
  return absent;
}

/** Settings can be a list too; faults are never none. */
function isFaults(parsed: object): parsed is DocumentFault[] {
  return Array.isArray(parsed) && parsed.some(one => typeof one === 'object' && 'pointer' in one);
}

function readTagInterval(source: Sources, faults: Fault[]): number | undefined {
  const text = source.one('tag-interval') ?? DEFAULTS['tag-interval'];
  if (text === 'off') return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= SHORTEST_INTERVAL_MS) return ms;
  const message = `--tag-interval ${text}: expected a duration of 1s or more, e.g. 10m, or off`;
  faults.push({ pointer: '/tag-interval', message });
  return undefined;
}

function readTransport(
  source: Sources,
  allowPlaintext: readonly Endpoint[],
  isExposed: boolean,
  faults: Fault[],
): TransportSettings {
  const texts = {
    cert: toAbsolute(source.one('tls-cert')),
    key: toAbsolute(source.one('tls-key')),
    clientCas: source.many('client-ca').map(path => resolve(path)),
    nodeAuth: source.one('node-auth'),
    nodeClaims: source.one('node-claims'),
    nodeIdentity: source.one('node-identity'),
    plain: allowPlaintext.filter(name => name !== 'api'),
    isExposed,
  };
  return parseTransport(texts, faults);
}

function readProtosets(source: Sources, faults: Fault[]): Config['protosets'] {
  return source.many('protoset').flatMap(path => {
    try {
      return [{ path, bytes: readFileSync(path) }];
    } catch (error) {
      faults.push({ pointer: '/protoset', message: `--protoset ${path}: ${toMessage(error)}` });
      return [];
    }
  });
}

function readPublishToken(source: Sources, faults: Fault[]): string | undefined {
  const path = toAbsolute(source.one('publish-token'));
  if (path === undefined) return undefined;
  try {
    toPublishToken(readFileSync(path, 'utf8'));
  } catch (error) {
    faults.push({ pointer: '/publish-token', message: `--publish-token ${path}: ${toMessage(error)}` });
  }
  return path;
}

function toAbsolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

/** Every refusal names the flag that would allow it. */
function checkExposure(config: Config, faults: Fault[]): void {
  const listeners = { xds: config.xdsListen, modules: config.modulesListen, api: config.apiListen };
  for (const name of ENDPOINTS) {
    const { host } = listeners[name];
    const pointer = `/${name}-listen`;
    if (!isLoopback(host) && !speaksTls(config, name) && !config.allowPlaintext.includes(name))
      faults.push({
        pointer,
        message: `--${name}-listen ${host}: plain text off loopback. For TLS: --tls-cert FILE --tls-key FILE. To allow it: --allow-plaintext ${name}`,
      });
    if (isWildcard(host) && config.advertiseHost === undefined)
      faults.push({
        pointer,
        message: `--${name}-listen ${host}: Envoys cannot use a wildcard address. Name the host they use: --advertise HOST`,
      });
  }
}
