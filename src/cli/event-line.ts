import type { EventView } from '../api/schema/event-view.ts';
import { formatClock, localizeTimes } from './format.ts';

const TYPE_WIDTH = 22;

/** `02:59:07  plugin.refused          edge-b-041 refused revision 8 of edge/auth`. */
export function formatEvent({ at, type, message, plugin, node }: EventView, nowMs: number): string {
  const about = [plugin, node].filter(name => name !== null && !message.includes(name));
  const text = localizeTimes([...about, message].join(': ').replace(/\s*\n\s*/g, ' '), nowMs);
  return `${formatClock(Date.parse(at), nowMs)}  ${type.padEnd(TYPE_WIDTH)}  ${text}`;
}
