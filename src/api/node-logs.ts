import type { LogLevel } from '../model/node-access.ts';
import { blotParts } from '../model/redact.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { commit } from './commit.ts';
import { NodeError } from './node-error.ts';
import { findNode } from './node-policy.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeLogLevel, NodeLogs } from './schema/node-config-view.ts';

/** The most that is answered. */
const MAX_LINE = 4_000;

/** How much the plugins of a node log. Codes: `not-found`, `node-admin-unset`, and those of NodeAdmin. */
export async function readLogLevel(context: ApiContext, node: string): Promise<NodeLogLevel> {
  const level = await askLogLevel(context, node, undefined);
  return { kind: 'NodeLogLevel', node, logger: 'wasm', level, text: `plugins on ${node} log at ${level}` };
}

/** Says how much they are to log, and answers as `readLogLevel`. A dry run asks the node, and changes nothing. */
export async function setLogLevel(
  context: CallContext,
  node: string,
  level: LogLevel,
): Promise<NodeLogLevel> {
  const now = await askLogLevel(context, node, context.dryRun ? undefined : level);
  const text = context.dryRun
    ? `dry run: plugins on ${node} would log at ${level}; they log at ${now}`
    : `plugins on ${node} log at ${now}, until the Envoy restarts or somebody sets it again`;
  // Kept by the Envoy alone, and a change all the same.
  const change = {
    action: 'node.log-level',
    subject: node,
    reason: undefined,
    event: { node, message: text },
  };
  await commit(context, change, []);
  return { kind: 'NodeLogLevel', node, logger: 'wasm', level: now, text };
}

async function askLogLevel(context: ApiContext, node: string, level: LogLevel | undefined): Promise<string> {
  await findNode(context, node);
  const address = (await context.store.get('NodePolicy', node))?.value.admin;
  if (address === undefined)
    throw new NodeError('node-admin-unset', `nobody said where the admin interface of ${node} is`, {
      hint: `attache node set ${node} --admin http://HOST:PORT (as the server reaches it)`,
    });
  return context.nodes.admin.logLevel(address, node, level);
}

/** The last `count` lines that plugins of a node wrote into its log. Codes: `not-found`, `node-log-unset`, and those of NodeLogReader. */
export async function readNodeLogs(context: ApiContext, node: string, count: number): Promise<NodeLogs> {
  await findNode(context, node);
  const file = (await context.store.get('NodePolicy', node))?.value.logFile;
  if (file === undefined)
    throw new NodeError(
      'node-log-unset',
      `the log of ${node} cannot be read from here: an Envoy gives its log to nobody over the network, its admin interface neither`,
      {
        hint: `Read it where the Envoy runs (its lines of plugins hold "wasm log"). Where its --log-path is a file that this server can read: attache serve --node-log-directory DIR, then attache node set ${node} --log-file NAME`,
      },
    );
  const { lines, writtenAt, lookedAtBytes } = await context.nodes.logs.tail(file, count);
  return {
    kind: 'NodeLogs',
    node,
    file,
    writtenAt: toTime(writtenAt),
    lines: lines.map(line => blotParts(line.slice(0, MAX_LINE))),
    lookedAtBytes: lookedAtBytes ?? null,
  };
}
