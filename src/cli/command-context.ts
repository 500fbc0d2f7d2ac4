import type { Command } from 'commander';
import type { Config } from '../config.ts';
import type { PushLayout } from '../model/artifact-layout.ts';
import type { BackupManifest } from '../model/backup.ts';
import type { ModuleCheck } from '../model/module-check.ts';
import type { ModuleInspection } from '../model/module-inspection.ts';
import type { PluginDocument } from '../model/plugin-document.ts';
import type { PluginRun, RunPlan } from '../model/plugin-run.ts';
import type { Log } from '../model/ports.ts';
import { resolveConnection, type ServerOptions } from './connection.ts';
import { RestClient } from './rest-client.ts';
import type { Screen } from './rollout/live-frame.ts';

/** What a command may touch of the world; a test passes its own. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `1.0.0`, of this package. */
  readonly version: string;
  /** Data, a line or more, to stdout. */
  out(text: string): void;
  /** Messages, a line or more, to stderr. */
  err(text: string): void;
  /** The terminal that stdout is; undefined: a file or a pipe, where nothing can be redrawn. */
  readonly screen?: Screen;
  /** The terminal that stderr is: where progress is shown. */
  readonly errScreen?: Screen;
  /** Called on SIGINT, SIGTERM and SIGHUP instead of ending; the answer restores what was. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Asks the person at the terminal, and shows nothing of the answer; undefined: nobody is there. */
  readonly askHidden?: (question: string) => Promise<string>;
  /** Ends at once, whatever still runs. */
  exitNow(code: number): never;
  readonly ports: CommandPorts;
}

export type { ServerOptions } from './connection.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** What only main.ts can join: the stages are no business of a command. */
export interface CommandPorts {
  startControlPlane(config: Config, log: Log): Promise<RunningControlPlane>;
  createLog(level: string): Promise<Log>;
  pushModule: PushModule;
  /** The module that an artifact of any layout, or a URL, holds, into a file. */
  pullModule: PullModule;
  /** What is at a reference, or in a file. */
  inspectReference(
    request: RegistryRequest & { readonly verificationKey?: string },
  ): Promise<ModuleInspection>;
  inspectFile(path: string): Promise<ModuleInspection>;
  /** What Envoys of these releases (none: the newest) would do with the plugin in a file. */
  checkFile(request: {
    readonly path: string;
    readonly plugin: PluginDocument;
    readonly envoyVersions: readonly string[];
  }): Promise<ModuleCheck>;
  /** Gives what a reference names another tag. */
  tagArtifact(request: RegistryRequest & { readonly tag: string }): Promise<{ readonly digest: string }>;
  /** Asks a registry whether it knows a user, and keeps the login where docker does. */
  logIn(request: LoginRequest): Promise<{ readonly keptIn: string; readonly verified: boolean }>;
  /** Forgets a login; undefined: there was none. */
  logOut(dockerConfigPath: string, host: string): Promise<string | undefined>;
  /** Has requests pass through a plugin, in the host of the trial runs. */
  runPlugin(bytes: Uint8Array, plan: RunPlan): Promise<PluginRun>;
  /** Reads all of a backup, compares it with its digests, and says what it holds. */
  checkBackup(path: string): Promise<BackupManifest>;
  /** Fills an empty data directory. */
  restoreBackup(path: string, directory: string): Promise<BackupManifest>;
  /** Compiles one of the example plugins in plugins/. */
  buildPlugin(name: string): Promise<{ readonly bytes: Uint8Array; readonly sha256: string }>;
}

export interface RunningControlPlane {
  readonly addresses: {
    readonly xds: string;
    readonly modules: string;
    readonly api: string;
    readonly metrics?: string;
  };
  stop(): Promise<void>;
}

/** What is wanted of which registry, and how it is reached. */
export interface RegistryRequest {
  /** `HOST:PORT/NAME:TAG`, without a scheme; where nothing is written also `…@sha256:…`. */
  readonly reference: string;
  /** `HOST:PORT` of registries spoken to over plain HTTP, loopback ones aside. */
  readonly insecureRegistries: readonly string[];
  readonly dockerConfigPath: string | undefined;
  /** PEM of a CA that is trusted for its host besides those of the system; default: none. */
  readonly ca?: string | undefined;
  /** What its host takes as a password, whatever the docker config has for it; default: nothing. */
  readonly token?: string | undefined;
  /** Told of what is sent and received, in bytes, while it goes on. */
  readonly onTransfer?: (transfer: { readonly doneBytes: number; readonly totalBytes: number }) => void;
}

/** Who wants to be known to a registry. */
export interface LoginRequest extends Omit<RegistryRequest, 'reference'> {
  readonly dockerConfigPath: string;
  /** `HOST[:PORT]` */
  readonly host: string;
  readonly login: { readonly username: string; readonly password: string };
}

/** Pushes module bytes as an OCI artifact to `host/name:tag`. */
export type PushModule = (
  request: RegistryRequest & {
    readonly bytes: Uint8Array;
    /** Default `cncf`. */
    readonly layout?: PushLayout;
    /** By their full names. */
    readonly annotations?: Readonly<Record<string, string>>;
    /** Default 0. */
    readonly createdMs?: number;
  },
) => Promise<{ readonly manifestDigest: string; readonly moduleSha256: string }>;

/** The reference may be an `https://…` URL as well: then there is no digest of one. */
export type PullModule = (
  request: RegistryRequest & {
    /** The file to write, or to replace: whole, or not at all. */
    readonly path: string;
  },
) => Promise<{
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Which rule found it. */
  readonly layout: string;
  readonly referenceDigest?: string;
}>;

/** A verb: its arguments and options on `command`, its work in an action that answers an exit code. */
export type DefineCommand = (
  command: Command,
  context: CommandContext,
  finish: (code: number) => void,
) => void;

export function addServerOption(command: Command): Command {
  return command
    .option('--server <url>', 'the REST API (default $ATTACHE_SERVER or http://127.0.0.1:18002)')
    .option('--context <name>', 'the server of this context: attache context list')
    .option('--ca-file <file>', 'PEM of the CA that signed its certificate (default $ATTACHE_CA_FILE)');
}

/** The options of every verb that is about something with a namespace. */
export function addNamespaceOption(command: Command): Command {
  return command.option('-n, --namespace <ns>', 'namespace of NAME (default "default")');
}

export function toRestClient(options: ServerOptions, context: CommandContext): RestClient {
  return new RestClient(resolveConnection(options, context.env));
}
