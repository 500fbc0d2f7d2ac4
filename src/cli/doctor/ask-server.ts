import type { FreezeView } from '../../api/schema/freeze-view.ts';
import type { LimitList } from '../../api/schema/limit-view.ts';
import type { ModuleList } from '../../api/schema/module-view.ts';
import type { NodeView } from '../../api/schema/node-view.ts';
import type { Health, Index, ServerView, WhoAmI } from '../../api/schema/server-view.ts';
import { AttacheError } from '../../model/error.ts';
import { readList } from '../read-list.ts';
import { type RestClient, RestError } from '../rest-client.ts';
import { probe } from './address.ts';
import { type Finding, problem, type Report } from './finding.ts';
import { judgeServer, type ServerReading } from './judge-server.ts';

/** Asks a control plane over REST, changes nothing, and says what is wrong with it. */
export async function examineServer(client: RestClient, ownVersion: string): Promise<Report> {
  return { about: `server ${client.server}`, findings: await examine(client, ownVersion) };
}

async function examine(client: RestClient, ownVersion: string): Promise<readonly Finding[]> {
  try {
    return judgeServer(await read(client, ownVersion));
  } catch (error) {
    if (!(error instanceof AttacheError)) throw error;
    const code = error instanceof RestError ? 'server-refuses' : 'server-unreachable';
    return [problem(code, [error.message, error.hint ?? ''].join('. ').replace(/\. $/, ''))];
  }
}

async function read(client: RestClient, ownVersion: string): Promise<ServerReading> {
  const index = await client.get<Index>('/');
  const [who, health, server, nodes, freeze, limits, modules] = await Promise.all([
    client.get<WhoAmI>('/v1/whoami'),
    client.get<Health>('/readyz'),
    client.get<ServerView>('/v1/server').then(answer => ({
      ...answer,
      aheadMs: Date.parse(answer.time) - Date.now(),
    })),
    readList(client, '/v1/nodes'),
    client.get<FreezeView>('/v1/freeze'),
    client.get<LimitList>('/v1/limits'),
    client.get<ModuleList>('/v1/modules'),
  ]);
  const unreachable = {
    xds: index.addresses && (await probe(index.addresses.xds)),
    modules: index.addresses && (await probe(index.addresses.modules)),
  };
  return {
    ...{ url: client.server, index, who, server, unreachable, ownVersion },
    nodes: nodes as readonly NodeView[],
    warnings: health.warnings ?? [],
    frozen: freeze.frozen ? freeze.text : null,
    limits: limits.items,
    modules: modules.storage,
    clockAheadMs: server.aheadMs,
  };
}
