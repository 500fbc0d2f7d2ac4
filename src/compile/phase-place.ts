import { PHASES, type Phase } from '../model/plugin-spec.ts';

/** A place for a phase's plugins: `attache.authn` on any listener, or `attache.authn/<listener>`. */
export interface PhasePlace {
  readonly phase: Phase;
  /** The name without a listener. */
  readonly slot: string;
  readonly listener: string | undefined;
}

/** The place a slot name means, or undefined when it names something else. */
export function parsePhasePlace(name: string): PhasePlace | undefined {
  for (const { phase, slot } of PHASES) {
    if (name === slot) return { phase, slot, listener: undefined };
    if (name.startsWith(`${slot}/`)) return { phase, slot, listener: name.slice(slot.length + 1) };
  }
  return undefined;
}

/** The slot of a phase on one listener. */
export function toPhaseSlot(phaseSlot: string, listener: string): string {
  return `${phaseSlot}/${listener}`;
}
