import { type Compared, compareScreen, ownWordsIn } from './compare.ts';
import type { Desk, Typed } from './desk.ts';
import type { Check, Step } from './step.ts';

/** What is known of a step when it was done. */
export interface Done {
  readonly isFailed: boolean;
  /** Something is otherwise than in the story, and explained. */
  readonly differs: boolean;
}

/** Does the steps in their order; after one that threw the rest is failed, because each begins where the last one ended. */
export async function runSection<Scene extends { readonly desk: Desk }>(
  steps: readonly Step<Scene>[],
  scene: Scene,
  { say, screens }: { readonly say: (line: string) => void; readonly screens: boolean },
): Promise<readonly Done[]> {
  const all: Done[] = [];
  for (const step of steps) {
    const began = performance.now();
    const typed = await doStep(step, scene);
    if (typed instanceof Error) {
      say(`✘ ${step.story}  ${step.title}\n     ${indent(String(typed.stack))}`);
      say(`✘ the ${steps.length - all.length - 1} steps after it were not done`);
      return [...all, ...steps.slice(all.length).map(() => ({ isFailed: true, differs: false }))];
    }
    const compared = compareScreen(step.screen, typed);
    const checks = [...(await checksOf(step, scene, typed))];
    if (step.exit !== undefined && typed.code !== step.exit)
      checks.push({ what: `exit code ${step.exit}`, isSo: false, seen: String(typed.code) });
    const own = ownWordsIn(typed.out + typed.err);
    if (own.length > 0) checks.push({ what: 'no word of ours (X1)', isSo: false, seen: own.join(', ') });
    const done = {
      isFailed: compared.some(({ kind }) => kind === 'missing') || checks.some(({ isSo }) => !isSo),
      differs: (step.otherwise ?? []).length > 0 || compared.some(({ kind }) => kind === 'explained'),
    };
    all.push(done);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    say(`${done.isFailed ? '✘' : '✔'} ${step.story}  ${step.title}   ${seconds} s`);
    for (const line of describe(step, typed, compared, checks, screens || done.isFailed)) say(`     ${line}`);
  }
  return all;
}

async function doStep<Scene extends { readonly desk: Desk }>(
  step: Step<Scene>,
  scene: Scene,
): Promise<Typed | Error> {
  try {
    return await (step.act?.(scene) ?? scene.desk.type(step.types));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function checksOf<Scene extends { readonly desk: Desk }>(
  step: Step<Scene>,
  scene: Scene,
  typed: Typed,
): Promise<readonly Check[]> {
  try {
    return (await step.checks?.(scene, typed)) ?? [];
  } catch (error) {
    return [{ what: 'what must be so afterwards can be seen', isSo: false, seen: String(error) }];
  }
}

function describe(
  step: Step<never>,
  { code, out, err }: Typed,
  compared: readonly Compared[],
  checks: readonly Check[],
  withScreen: boolean,
): readonly string[] {
  const typed = step.types === '' ? [] : [`$ ${indent(step.types)}   exit ${code}`];
  const screen = withScreen
    ? `${out}${err}`
        .trimEnd()
        .split('\n')
        .slice(-40)
        .map(line => `│ ${line}`)
    : [];
  const otherwise = (step.otherwise ?? []).map(text => `≠ ${text}`);
  const lines = compared.flatMap(one => {
    if (one.kind === 'same') return [];
    if (one.kind === 'missing') return [`✘ not said: ${indent(one.screen)}`];
    return [`≠ story: ${one.screen.trim()}`, `  ours:  ${indent(one.ours.trim())}`, `  ${one.because}`];
  });
  const so = checks.map(
    ({ what, isSo, seen }) => `${isSo ? '✔' : '✘'} ${what}${isSo ? '' : `: ${seen ?? 'no'}`}`,
  );
  return [...typed, ...screen, ...otherwise, ...lines, ...so];
}

function indent(text: string): string {
  return text.split('\n').join('\n     ');
}
