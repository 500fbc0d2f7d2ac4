import type { ReadNodeConfig } from './node-config.ts';
import type { ShowResource } from './show-resource.ts';

/** What the api may ask of nodes beyond the records. Joined in the control plane. */
export interface NodeAccess {
  readonly readConfig: ReadNodeConfig;
  readonly show: ShowResource;
  readonly admin: NodeAdmin;
  readonly logs: NodeLogReader;
}

/** The admin interfaces of Envoys. Addresses come from people, never from nodes. */
export interface NodeAdmin {
  /** The address as it is kept, `http://HOST:PORT`. Throws `admin-address-refused`. */
  check(address: string): string;
  /**
   * The level of the logger of plugins, after it was set where `level` is given. Throws `admin-address-refused`, `admin-unreachable`,
   * `admin-bad-answer`, and `admin-other-node` where another Envoy than `nodeId` answers.
   */
  logLevel(address: string, nodeId: string, level: LogLevel | undefined): Promise<string>;
}

/** Of Envoy's loggers. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#post--logging */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs that Envoys write to files of this machine. */
export interface NodeLogReader {
  /** The path as it is kept. Throws `node-log-refused`: it may not be read. */
  check(file: string): string;
  /** The last `count` lines of plugins. Throws `node-log-refused`, `node-log-unreadable`. */
  tail(file: string, count: number): Promise<LogTail>;
}

export interface LogTail {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** ms */
  readonly writtenAt: number;
  /** So much of the end of the file was looked at; undefined: all of it. */
  readonly lookedAtBytes?: number;
}
