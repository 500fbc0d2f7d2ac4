import { AttacheError } from '../model/error.ts';

/**
 * What goes wrong on the user's side of the REST API. Mapped to exit codes in exit-code.ts and nowhere else.
 * - `bad-usage`: an argument makes no sense; `bad-file`: a file cannot be read or parsed
 * - `unreachable`: the server does not answer; `bad-answer`: it answers what we do not understand
 * - `check-timeout`, `wait-timeout`: the time to wait was over; `rolled-back`: the new revision was refused
 * - `demo-failed`: a step of the demo did not hold; `interrupted`: a person ended it
 * - `envoy-not-found`, `envoy-install-failed`: no Envoy to run; `envoy-failed`: it ran, and ended
 * - `nothing-to-convert`: no document of another control plane among those that were given
 * - `build-failed`, `compiler-missing`: a plugin's source does not become a module
 */
export type CliErrorCode =
  | 'bad-usage'
  | 'bad-file'
  | 'unreachable'
  | 'bad-answer'
  | 'check-timeout'
  | 'wait-timeout'
  | 'rolled-back'
  | 'demo-failed'
  | 'interrupted'
  | 'envoy-not-found'
  | 'envoy-install-failed'
  | 'envoy-failed'
  | 'nothing-to-convert'
  | 'build-failed'
  | 'compiler-missing';

export class CliError extends AttacheError<CliErrorCode> {}
