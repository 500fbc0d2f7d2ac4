import type { Meter } from '../../model/meter.ts';
import type { Clock, Log } from '../../model/ports.ts';
import type { DelayLine } from '../delay-line.ts';
import type { NodeRecorder } from '../node-recorder.ts';
import type { FleetSteps } from '../push/fleet-steps.ts';

/** What the sessions of all processes have in common. */
export interface StreamContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly recorder: NodeRecorder;
  readonly steps: FleetSteps;
  /** Tells a session when what it sent should have been answered. */
  readonly silence: DelayLine<Overdue>;
  /** Signs the module URLs of this process. */
  readonly moduleKey: Uint8Array;
  /** That one Envoy may ask for. */
  readonly mostNames: number;
}

/** Who sent something SILENT_AFTER_MS ago. */
export interface Overdue {
  onOverdue(): void;
}
