import assert from 'node:assert/strict';
import { type AttacheProcess, isAccepted } from '../../harness/attache-process.ts';
import { until } from '../../harness/wait.ts';
import { MAIN, SECOND, type Wanted, type Wish } from './wanted.ts';

/** Nothing takes longer than this to come right after a kill. */
const DEADLINE_MS = 60_000;

/** Everything that was acknowledged is there, word for word. `plugin` may be one whose answer never came: skipped. */
export async function assertNothingLost(
  attache: AttacheProcess,
  wanted: Wanted,
  unsure?: string,
): Promise<void> {
  const { items } = await attache.must('GET', '/v1/plugins');
  const stored = new Map<string, Document>();
  for (const item of items)
    if (item.status.deleted === null) stored.set(item.metadata.name, await readDocument(attache, item));
  for (const [name, wish] of wishes(wanted)) {
    if (name === unsure) continue;
    const spec = stored.get(name);
    assert.deepEqual(
      spec && { url: spec.url, pluginConfig: spec.pluginConfig },
      wish && { url: wish.url, pluginConfig: { stamp: wish.text } },
      `plugin ${name}: what was acknowledged is lost`,
    );
  }
}

interface Document {
  readonly url: string;
  readonly pluginConfig: unknown;
}

/** What was applied last: the document shown, or, where that is held back, the revision that was made of it. */
async function readDocument(
  attache: AttacheProcess,
  item: {
    readonly metadata: { readonly name: string };
    readonly spec: Document;
    readonly status: { readonly heldBack: { readonly revision: number } | null };
  },
): Promise<Document> {
  const { metadata, spec, status } = item;
  if (status.heldBack === null) return spec;
  const { items } = await attache.must('GET', `/v1/plugins/default/${metadata.name}/revisions`);
  const revision = items.find((one: { number: number }) => one.number === status.heldBack?.revision);
  return { url: revision.module.url, pluginConfig: revision.spec.pluginConfig };
}

/** Until Attaché tells of every wish that the node runs it, or the last good one and the refusal. */
export async function waitConverged(
  attache: AttacheProcess,
  node: string,
  wanted: Wanted,
  since: number,
): Promise<void> {
  let fault = '';
  const judge = async () => {
    fault = await findFault(attache, node, wanted, since);
    return fault === '';
  };
  await until(judge, { what: 'everything to converge', deadlineMs: DEADLINE_MS, everyMs: 50 }).catch(
    error => {
      throw new Error(`${error.message}\n${fault}`, { cause: error });
    },
  );
}

function wishes({ main, second }: Wanted): readonly (readonly [string, Wish | undefined])[] {
  return [
    [MAIN, main],
    [SECOND, second],
  ];
}

/** The first thing that is not as it is to be; empty: nothing. */
async function findFault(
  attache: AttacheProcess,
  node: string,
  wanted: Wanted,
  since: number,
): Promise<string> {
  const { body: view } = await attache.request('GET', `/v1/nodes/${node}`);
  const seen = () => JSON.stringify(view?.status);
  if (view?.status?.state !== 'Connected') return `the node is not connected: ${seen()}`;
  // What was so before the kill proves nothing.
  if (Date.parse(view.status.since) < since) return `the node has not come back: ${seen()}`;
  if (view.status.refusedResources.length > 0) return `a resource is refused: ${seen()}`;
  const named = wishes(wanted)
    .filter(([, wish]) => wish !== undefined)
    .map(([name]) => `default/${name}`);
  const shown = view.status.plugins.map((one: { plugin: string }) => one.plugin);
  if (named.sort().join() !== shown.sort().join())
    return `the node has other plugins than ${named}: ${seen()}`;
  for (const [name, wish] of wishes(wanted)) {
    if (wish === undefined) continue;
    const onNode = view.status.plugins.find((one: { plugin: string }) => one.plugin === `default/${name}`);
    const fault = await findPluginFault(attache, name, wish, name === MAIN ? wanted.good : wish, onNode);
    if (fault !== '') return fault;
  }
  return '';
}

async function findPluginFault(
  attache: AttacheProcess,
  name: string,
  wish: Wish,
  good: Wish,
  // biome-ignore lint/suspicious/noExplicitAny: judged as it came.
  onNode: any,
): Promise<string> {
  const { body: view } = await attache.request('GET', `/v1/plugins/default/${name}`);
  const { body: history } = await attache.request('GET', `/v1/plugins/default/${name}/revisions`);
  const seen = () => `${name}: ${JSON.stringify(view?.status)}; on the node: ${JSON.stringify(onNode)}`;
  const status = view?.status;
  if (!status?.settled) return `not settled: ${seen()}`;
  const contentOf = (revision: number) =>
    history.items.find((one: { number: number }) => one.number === revision);
  const isRevision = (revision: number, of: Wish) =>
    contentOf(revision)?.module.sha256 === of.sha256 &&
    JSON.stringify(contentOf(revision)?.spec.pluginConfig) === JSON.stringify({ stamp: of.text });
  const asked = wish.isBad ? status.heldBack?.revision : status.desiredRevision;
  if (!isRevision(asked, wish)) return `the revision is not the document's: ${seen()}`;
  if (!isRevision(status.currentRevision, good)) return `another revision is live: ${seen()}`;
  if (!isAccepted(onNode) || onNode.revision !== status.currentRevision) return `not accepted: ${seen()}`;
  if (!wish.isBad)
    return status.phase === 'Succeeded' && onNode.refusedRevision === null
      ? ''
      : `a refusal too many: ${seen()}`;
  const shown =
    status.phase === 'RolledBack' &&
    status.refusal?.revision === asked &&
    status.desiredRevision === status.currentRevision &&
    /Unable to create Wasm plugin default\/stamp/.test(status.refusal.message);
  return shown ? '' : `the refusal is not shown: ${seen()}`;
}
