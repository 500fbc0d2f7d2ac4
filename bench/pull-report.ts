import type { CommandCost } from './measure-command.ts';
import type { ServerCost } from './measured-server.ts';
import { formatSpread, type Spread, toSpread } from './spread.ts';

/** Once each, of one fresh module. */
export interface PullRound {
  /** undefined: there is no oras. */
  readonly oras: CommandCost | undefined;
  readonly command: CommandCost;
  /** Node that starts and does nothing. */
  readonly node: CommandCost;
  /** Up to the check of the module, which refuses it. */
  readonly serverPull: ServerCost;
  /** With trial run, revision and rollout. */
  readonly serverAll: ServerCost;
}

export interface PullFigures {
  /** Resident memory of the server before it ever pulled, MiB. */
  readonly idleMiB: number;
  /** Not counted in the rest. */
  readonly first: PullRound;
  readonly rounds: readonly PullRound[];
}

interface Row {
  readonly name: string;
  readonly cpuMs: Spread;
  readonly wallMs: Spread;
  /** Of a command: its peak. Of the server: its peak less what it had before it ever pulled. */
  readonly memoryMiB: Spread;
  /** Against oras, round by round; absent: there is no oras, or it is not compared. */
  readonly cpuRatio?: Spread;
  /** More than oras has, round by round. */
  readonly moreMiB?: Spread;
  /** Of both medians. */
  readonly withinTarget?: boolean;
}

export interface PullReport {
  readonly moduleMiB: number;
  readonly registry: string;
  readonly rounds: number;
  readonly target: { readonly cpuRatio: number; readonly moreMiB: number };
  /** Why there is nothing to compare with. */
  readonly orasMissing?: string;
  readonly rows: readonly Row[];
  /** CPU of the server's process for the first pull of its life, and of trial runs (median), ms. */
  readonly firstServerPullCpuMs: number;
  readonly trialCpuMs: number;
}

const TARGET = { cpuRatio: 1.3, moreMiB: 40 };

export function toReport(
  { idleMiB, first, rounds }: PullFigures,
  of: Pick<PullReport, 'moduleMiB' | 'registry'> & { readonly orasMissing: string | undefined },
): PullReport {
  const { orasMissing, ...rest } = of;
  const oras = rounds.flatMap(round => round.oras ?? []);
  const toRow = (name: string, costs: readonly (CommandCost | ServerCost)[], base = 0): Row => ({
    name,
    cpuMs: toSpread(costs.map(cost => cost.cpuMs)),
    wallMs: toSpread(costs.map(cost => cost.wallMs)),
    memoryMiB: toSpread(costs.map(cost => cost.peakMiB - base)),
  });
  const toCompared = (name: string, costs: readonly (CommandCost | ServerCost)[], base = 0): Row => {
    const row = toRow(name, costs, base);
    if (oras.length === 0) return row;
    const cpuRatio = toSpread(costs.map(({ cpuMs }, i) => cpuMs / oras[i]!.cpuMs));
    const moreMiB = toSpread(costs.map(({ peakMiB }, i) => peakMiB - base - oras[i]!.peakMiB));
    const withinTarget = cpuRatio.median <= TARGET.cpuRatio && moreMiB.median <= TARGET.moreMiB;
    return { ...row, cpuRatio, moreMiB, withinTarget };
  };
  return {
    ...rest,
    rounds: rounds.length,
    target: TARGET,
    ...(orasMissing === undefined ? {} : { orasMissing }),
    rows: [
      ...(oras.length === 0 ? [] : [toRow('oras pull', oras)]),
      toCompared(
        'server: pull',
        rounds.map(round => round.serverPull),
        idleMiB,
      ),
      toRow(
        'server: with trial and rollout',
        rounds.map(round => round.serverAll),
        idleMiB,
      ),
      toCompared(
        'attache pull',
        rounds.map(round => round.command),
      ),
      toRow(
        'node -e 0',
        rounds.map(round => round.node),
      ),
    ],
    firstServerPullCpuMs: first.serverPull.cpuMs,
    trialCpuMs: toSpread(rounds.map(round => round.serverAll.childCpuMs)).median,
  };
}

/** Lines for people. */
export function formatReport(report: PullReport): string {
  const { rows, target } = report;
  const cells = rows.map(row => [
    row.name,
    formatSpread(row.cpuMs),
    formatSpread(row.wallMs),
    formatSpread(row.memoryMiB),
    row.cpuRatio === undefined ? '' : formatSpread(row.cpuRatio, 2),
    row.moreMiB === undefined ? '' : formatSpread(row.moreMiB),
    row.withinTarget === undefined ? '' : row.withinTarget ? 'met' : 'missed',
  ]);
  const table = [['', 'CPU ms', 'wall ms', 'memory MiB', 'CPU : oras', 'MiB more', 'target'], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map(row => row[column]!.length)));
  const lines = table.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  return [
    `A fresh module of ${report.moduleMiB} MiB from ${report.registry}, ${report.rounds} rounds in turn: median (lowest–highest)`,
    '',
    ...lines,
    '',
    `Target: at most ${target.cpuRatio} times the CPU of oras pull and ${target.moreMiB} MiB more, by the medians.`,
    'Memory of the server is what its peak has over its memory before it ever pulled. Its first pull of all took',
    `${report.firstServerPullCpuMs.toFixed(0)} ms of CPU; a trial run takes ${report.trialCpuMs.toFixed(0)} ms in a child process of its own.`,
    ...(report.orasMissing === undefined ? [] : [`Nothing to compare with: ${report.orasMissing}.`]),
  ].join('\n');
}
