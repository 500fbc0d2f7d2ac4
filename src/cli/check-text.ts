import type { Fault } from '../model/error.ts';
import type { CheckedRelease, CheckedRun, ModuleCheck } from '../model/module-check.ts';
import { describeInspection } from './inspect-text.ts';

const WANTED: Readonly<Record<string, string>> = {
  properties: 'properties',
  metrics: 'metrics',
  clusters: 'clusters',
  foreignFunctions: 'foreign functions',
  hostEnv: 'environment of the node',
};

/** Whether a module can go to every release; one that only an Envoy can judge is no fault. */
export function isAccepted({ releases }: ModuleCheck): boolean {
  return releases.length > 0 && releases.every(({ result }) => result !== 'refused');
}

/** All about a module, then what each release does with it, with the plugin's own log lines. */
export function describeCheck(check: ModuleCheck, locate: (fault: Fault) => string): string {
  return [
    describeInspection(check),
    ...check.releases.flatMap(release => describeRelease(release, locate)),
  ].join('\n');
}

function describeRelease(release: CheckedRelease, locate: (fault: Fault) => string): readonly string[] {
  const { envoyVersion, run } = release;
  const envoy = envoyVersion === '' ? 'the newest Envoy that is known' : `Envoy ${envoyVersion}`;
  return [
    `${envoy}: ${describeResult(release)}`,
    ...describeFault(release, locate),
    ...(run === undefined ? [] : describeRun(run)),
  ];
}

function describeResult({ result, reason, run }: CheckedRelease): string {
  switch (result) {
    case 'accepted':
      return `accepted, started in ${run?.tookMs ?? 0} ms`;
    case 'unsure':
      return `only a node can tell: ${reason}, after it had asked for what a node alone knows`;
    case 'refused':
      return 'refused';
    default:
      return result satisfies never;
  }
}

function describeFault({ fault }: CheckedRelease, locate: (fault: Fault) => string): readonly string[] {
  if (fault === undefined) return [];
  const { code, message, hint, faults } = fault;
  const places = faults.map(locate);
  const lines = places.length > 0 ? places : [message];
  return [...lines, ...(hint === undefined ? [] : [hint]), `(code ${code}, docs/errors.md#${code})`].map(
    line => `  ${line}`,
  );
}

function describeRun({ logs, hasMoreLogs, wanted, unknowable, leaving }: CheckedRun): readonly string[] {
  const asked = Object.entries(wanted).filter(([, names]) => names.length > 0);
  return [
    ...logs.map(({ level, message }) => `  log ${level.padEnd(8)} ${message.replaceAll('\n', '\n    ')}`),
    ...(hasMoreLogs ? ['  … and more lines'] : []),
    ...asked.map(([kind, names]) => `  asks for ${WANTED[kind] ?? kind}: ${names.join(', ')}`),
    ...unknowable.map(text => `  could not be known here: ${text}`),
    ...(leaving === ''
      ? []
      : [`  warning: it fails when it is to go, as for each new configuration: ${leaving}`]),
  ];
}
