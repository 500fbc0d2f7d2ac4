import type { PluginContent, SlotContent } from '../../model/snapshot.ts';
import { fetchTimeoutMs, findNamedPlugin } from './attempt.ts';
import { downloadsFor, GET_GRACE_MS, modulesOf } from './downloads.ts';
import type { SlotContext } from './slot-machine.ts';
import { IDLE, NO_NAMES, NO_PLUGINS, type Phase, type SlotState } from './slot-state.ts';

/*
 * Miss, refusal or unreachable: the evidence is the GET (design 5.3). A NACK without a GET is held against a
 * plugin only where GETs of this process arrive at all: before the confirming attempt a probe is pushed, whose
 * module nobody has. If that makes no GET either, the node does not reach the module port.
 */

type Judging = Phase & { kind: 'judging' };
type Downloading = Phase & { kind: 'downloading' };

const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;
/** As many downloads of one module may be followed by another miss before we wait between attempts. */
const FREE_MISSES = 6;
/** 100, 200, 400 … ms after the second, third, fourth miss: about 3 s in all before we back off. */
const FIRST_SETTLE_MS = 100;

/** A NACK came, or time passed after it. */
export function judgeNack(state: SlotState, context: SlotContext): SlotState {
  const phase = state.phase as Judging;
  // Bytes without a module cannot miss, and without a tag they cannot be tried again: that was the answer.
  const { content } = phase.attempt;
  if (content.plugins.length === 0)
    return isAccepted(state, content)
      ? block(state, content.contentHash, phase.message, context.now)
      : refuse(state, content, undefined, phase.message, context.now);
  // An Envoy that is short of CPU, or far away, may begin its download after that second: so for the confirming attempt one
  // since the first counts as well. Envoys were seen to make another for each attempt; nothing here hangs on that.
  const { suspected } = state;
  const { pushedAt } = phase.attempt;
  // The clock may have been set back between the two.
  const since =
    suspected?.contentHash === content.contentHash ? Math.min(suspected.since, pushedAt) : pushedAt;
  const gets = downloadsFor(context.downloads, content, since, phase.nackedAt + GET_GRACE_MS);
  if (gets.length > 0 && phase.attempt.isProbe)
    return { ...state, phase: IDLE, suspected: state.suspected && { ...state.suspected, probing: false } };
  if (gets.length > 0)
    return judgeDownloads(
      { ...state, suspected: null, phase: { ...phase, kind: 'downloading', since } },
      context,
    );
  if (context.now <= phase.nackedAt + GET_GRACE_MS) return state;
  return judgeWithoutGet(state, phase, context);
}

/** Time passed, or a download moved. */
export function judgeWaiting(state: SlotState, context: SlotContext): SlotState {
  if (isSetBack(state.phase, context.now)) return { ...state, phase: IDLE, suspected: null };
  switch (state.phase.kind) {
    case 'judging':
      return judgeNack(state, context);
    case 'downloading':
      return judgeDownloads(state, context);
    case 'warming':
      return judgeWarming(state, context);
    default:
      return state;
  }
}

/**
 * The clock was set back since the answer came, by more than a wait is worth: what was seen on either side of that cannot be
 * compared, and the push is made once more.
 */
function isSetBack(phase: Phase, now: number): boolean {
  switch (phase.kind) {
    case 'warming':
      return now < phase.ackedAt - GET_GRACE_MS;
    case 'judging':
    case 'downloading':
      return now < phase.nackedAt - GET_GRACE_MS;
    default:
      return false;
  }
}

/** After the ACK of a warming push: is it time for the verdict form? (design 5.2) */
function judgeWarming(state: SlotState, context: SlotContext): SlotState {
  const { attempt, ackedAt } = state.phase as Phase & { kind: 'warming' };
  const gets = downloadsFor(context.downloads, attempt.content, attempt.pushedAt);
  const sent = new Set(gets.filter(get => get.state === 'sent').map(get => get.moduleSha256));
  const running = gets.some(get => get.state === 'started');
  const all = modulesOf(attempt.content).every(module => sent.has(module));
  const quiet = !running && context.now > ackedAt + GET_GRACE_MS;
  const late = context.now > ackedAt + fetchTimeoutMs(attempt.content);
  return all || quiet || late ? { ...state, phase: IDLE } : state;
}

function judgeWithoutGet(state: SlotState, phase: Judging, context: SlotContext): SlotState {
  const { content, isProbe } = phase.attempt;
  if (isProbe)
    return block(
      state,
      state.suspected?.contentHash ?? '',
      'the Envoy does not reach the module port',
      context.now,
      state.suspected?.plugins,
    );
  const named = findNamedPlugin(content, phase.message);
  const blameless = named === undefined ? isAccepted(state, content) : isUnchanged(state, named);
  if (blameless) return block(state, content.contentHash, phase.message, context.now, toNames(named));
  if (state.suspected?.contentHash === content.contentHash)
    return refuse(state, content, named, phase.message, context.now);
  return {
    ...state,
    phase: IDLE,
    suspected: {
      contentHash: content.contentHash,
      plugins: toNames(named),
      probing: true,
      since: phase.attempt.pushedAt,
    },
    renew: renewed(named, content),
  };
}

function isAccepted(state: SlotState, content: SlotContent): boolean {
  return state.accepted?.contentHash === content.contentHash;
}

/** A plugin unchanged since the last ACK is never refused. */
function isUnchanged(state: SlotState, named: PluginContent): boolean {
  const { accepted } = state;
  if (accepted?.content !== undefined)
    return accepted.content.plugins.some(
      it => it.plugin === named.plugin && it.partHash === named.partHash && it.revision === named.revision,
    );
  return accepted?.plugins.some(it => it.plugin === named.plugin && it.revision === named.revision) ?? false;
}

function refuse(
  state: SlotState,
  content: SlotContent,
  named: PluginContent | undefined,
  message: string,
  now: number,
): SlotState {
  const culprit = named ?? onlyChange(state, content);
  return {
    ...state,
    phase: IDLE,
    suspected: null,
    refusedContents: new Set(state.refusedContents).add(content.contentHash),
    refused: {
      contentHash: content.contentHash,
      ...(culprit === undefined ? {} : { plugin: culprit.plugin, revision: culprit.revision }),
      message: message.trim(),
      at: now,
      healed: false,
      active: true,
    },
  };
}

/** Envoy named nobody: if just one plugin changed since the last ACK, it is that one. */
function onlyChange(state: SlotState, content: SlotContent): PluginContent | undefined {
  const changed = content.plugins.filter(plugin => !isUnchanged(state, plugin));
  return changed.length === 1 ? changed[0] : undefined;
}

/** A miss: wait for the end of the downloads, then push again with a new tag for the plugin that was named. */
function judgeDownloads(state: SlotState, context: SlotContext): SlotState {
  const phase = state.phase as Downloading;
  const { content } = phase.attempt;
  const gets = downloadsFor(context.downloads, content, phase.since);
  const late = context.now > phase.nackedAt + fetchTimeoutMs(content);
  if (gets.some(get => get.state === 'started') && !late) return state;
  const lost = gets.filter(get => get.state !== 'sent').map(get => get.moduleSha256);
  if (lost[0] !== undefined)
    return block(
      state,
      content.contentHash,
      `the download of module ${lost[0].slice(0, 12)} did not complete`,
      context.now,
      content.plugins.filter(it => lost.includes(it.moduleSha256)).map(it => it.plugin),
    );
  const settled: Downloading = { ...phase, endedAt: phase.endedAt ?? context.now };
  if (context.now < (settled.endedAt ?? 0) + settleMs(state, settled)) return { ...state, phase: settled };
  const modules = missedModules(settled);
  const named = findNamedPlugin(content, phase.message);
  const misses = new Map(state.misses);
  for (const module of modules) misses.set(module, (misses.get(module) ?? 0) + 1);
  if (modules.some(module => (misses.get(module) ?? 0) > FREE_MISSES))
    return {
      ...block(
        state,
        content.contentHash,
        'the module was sent, but Envoy still asks for it',
        context.now,
        toNames(named),
      ),
      misses,
    };
  return { ...state, phase: IDLE, misses, renew: renewed(named, content) };
}

/**
 * How long to wait after the downloads. Our server knows when it handed a body over, not when Envoy had read it:
 * where that was too early once, a slow link gets ever more time.
 */
export function settleMs(state: SlotState, phase: Downloading): number {
  const misses = Math.max(...missedModules(phase).map(module => state.misses.get(module) ?? 0));
  return misses <= 0 ? 0 : FIRST_SETTLE_MS * 2 ** (misses - 1);
}

/** The module that Envoy's text names, or all of the content's. */
function missedModules({ attempt, message }: Downloading): readonly string[] {
  const named = findNamedPlugin(attempt.content, message);
  return named === undefined ? modulesOf(attempt.content) : [named.moduleSha256];
}

function renewed(named: PluginContent | undefined, content: SlotContent): ReadonlySet<string> {
  return new Set(named === undefined ? content.plugins.map(plugin => plugin.plugin) : [named.plugin]);
}

function toNames(named: PluginContent | undefined): readonly string[] {
  return named === undefined ? NO_PLUGINS : [named.plugin];
}

/**
 * Never quarantine what a node could not fetch: back off, say so, and let the last good content serve. `plugins`: whose
 * modules those are, where that is known.
 */
export function block(
  state: SlotState,
  contentHash: string,
  message: string,
  now: number,
  plugins = NO_PLUGINS,
): SlotState {
  const failures = (state.blocked.get(contentHash)?.failures ?? 0) + 1;
  const delay = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
  return {
    ...state,
    phase: IDLE,
    suspected: null,
    renew: NO_NAMES,
    blocked: new Map(state.blocked).set(contentHash, { until: now + delay, failures, message, plugins }),
  };
}
