import { AttacheError } from '../model/error.ts';

/**
 * What goes wrong on the user's side of the REST API. Mapped to exit codes in exit-code.ts and nowhere else.
 * - `bad-usage`: an argument makes no sense; `bad-file`: a file cannot be read or parsed
 * - `bootstrap-refused`: a bootstrap cannot be completed as it is
 * - `unreachable`: the server does not answer; `bad-answer`: it answers what we do not understand
 * - `untrusted-server`: its certificate is not signed by whom we trust, or is for another name
 * - `unknown-context`: no server was set under that name
 * - `check-timeout`, `wait-timeout`: the time to wait was over; `rolled-back`: the new revision was refused
 * - `demo-failed`: a step of the demo did not hold; `interrupted`: a person ended it
 * - `envoy-not-found`, `envoy-install-failed`: no Envoy to run; `envoy-failed`: it ran, and ended
 * - `nothing-to-convert`: no document of another control plane among those that were given
 * - `audit-broken`: an entry of the audit was changed, or is gone
 * - `build-failed`, `compiler-missing`: a plugin's source does not become a module
 */
export type CliErrorCode =
  | 'bad-usage'
  | 'bad-file'
  | 'bootstrap-refused'
  | 'unreachable'
  | 'bad-answer'
  | 'untrusted-server'
  | 'unknown-context'
  | 'check-timeout'
  | 'wait-timeout'
  | 'rolled-back'
  | 'demo-failed'
  | 'interrupted'
  | 'envoy-not-found'
  | 'envoy-install-failed'
  | 'envoy-failed'
  | 'nothing-to-convert'
  | 'audit-broken'
  | 'build-failed'
  | 'compiler-missing';

/** What to do next where the place of the error knows nothing better. */
export const NEXT_STEPS: Readonly<Record<CliErrorCode, string>> = {
  'bad-usage': 'Add --help for an example.',
  'bad-file': 'Correct the file, or its name, and run it again.',
  'bootstrap-refused': 'Change what is named there, then run it again.',
  unreachable: 'Envoys go on as they are. Start it: attache serve',
  'bad-answer': "Look at --server: it is to name Attaché's API port, http://127.0.0.1:18002 by default.",
  'untrusted-server': 'Name the CA that signed its certificate: --ca-file FILE, or $ATTACHE_CA_FILE',
  'unknown-context': 'attache context list shows those that there are.',
  'check-timeout': 'The server goes on checking. Look again: attache get plugins',
  'wait-timeout': 'The rollout goes on. Watch it: attache rollout status NAME',
  'rolled-back': 'See what was refused, and by whom: attache rollout status NAME',
  'demo-failed': 'What it logged last is above; run it again: attache demo',
  interrupted: 'Run it again to see all of it.',
  'envoy-not-found': 'Install one: attache envoy install. Or name your own: ATTACHE_ENVOY=/path/to/envoy',
  'envoy-install-failed': 'Try again, or name an Envoy of your own: ATTACHE_ENVOY=/path/to/envoy',
  'envoy-failed': 'Its own lines above say why.',
  'nothing-to-convert': 'attache convert --help says what is taken.',
  'audit-broken': 'Compare with an export or a backup from before: docs/audit.md says what a break can mean.',
  'build-failed': 'Correct what the compiler names, and build again.',
  'compiler-missing': 'Run npm install in the folder of the plugin.',
};

export class CliError extends AttacheError<CliErrorCode> {
  constructor(code: CliErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(code, message, { ...options, hint: options.hint ?? NEXT_STEPS[code] });
  }
}
