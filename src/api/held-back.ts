import type { PluginName } from '../model/plugin-spec.ts';
import type { HeldBack, PluginStatus } from '../model/plugin-status.ts';
import { toCountText } from '../model/quantity-text.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Fleet } from './fleet.ts';
import { toTime } from './schema/metadata.ts';
import type { PluginView } from './schema/plugin-view.ts';

/** What the document asks for and is not tried again, in words, with what lifts it. */
export function toHeldBackView(
  fleet: Fleet,
  plugin: PluginName,
  { heldBack, currentRevision, nodes }: Pick<PluginStatus, 'heldBack' | 'currentRevision' | 'nodes'>,
): PluginView['status']['heldBack'] {
  if (heldBack === null) return null;
  const typed = plugin.replace(/^default\//, '');
  const runs =
    currentRevision === null
      ? `no node is to run ${plugin}`
      : `${toCountText(nodes.accepted, 'node')} ${nodes.accepted === 1 ? 'runs' : 'run'} revision ${currentRevision}`;
  return {
    revision: heldBack.revision,
    text: `${plugin}: ${toWhatText(fleet, plugin, heldBack)} ${toFateText(fleet, plugin, heldBack)} and is held back; ${runs}`,
    next: [
      {
        command: `attache rollout retry ${typed}`,
        text: heldBack.cause === 'undone' ? 'to roll it out again' : 'to try it again',
      },
    ],
  };
}

/** `revision 8 (module 41d0aa93be02, config 77c1e0)` */
function toWhatText(fleet: Fleet, plugin: PluginName, { revision }: HeldBack): string {
  if (revision === null) return 'the removal';
  const known = fleet.revisions.get(revisionKey(plugin, revision));
  if (known === undefined) return `revision ${revision}`;
  const { module, configHash } = known;
  return `revision ${revision} (module ${module.sha256.slice(0, 12)}, config ${configHash.slice(0, 6)})`;
}

/** `was refused by edge-b-041 and 2 more at …`, `was undone by admin at … ("liked the old one")` */
function toFateText(fleet: Fleet, plugin: PluginName, { text, at, rollout, by, cause }: HeldBack): string {
  const rollouts = fleet.rollouts.get(plugin) ?? [];
  const ended = rollouts.find(({ id }) => id === rollout);
  const what = text ?? toEndText(ended?.phase, ended?.by ?? by);
  const time = at === null ? '' : ` at ${toTime(at)}`;
  const undone = cause === 'undone' ? rollouts.find(({ kind }) => kind === 'undo') : undefined;
  const note = undone?.note === undefined || what.includes(undone.note) ? '' : ` ("${undone.note}")`;
  return `${what}${time}${note}`;
}

function toEndText(phase: string | undefined, by: string | null): string {
  if (phase === 'Aborted') return `was stopped${by === null ? '' : ` by ${by}`}`;
  return phase === 'Succeeded' || phase === 'Reverted' ? 'was undone' : 'failed';
}
