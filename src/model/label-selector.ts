/** One condition on labels. `value` undefined: only whether there is such a label. */
export interface LabelCondition {
  readonly key: string;
  readonly value: string | undefined;
  readonly negated: boolean;
}

const CONDITION = /^(!?)([A-Za-z0-9][\w./-]{0,252})(?:(!=|==?)([\w./-]{0,253}))?$/;

/**
 * `k=v`, `k!=v`, `k` and `!k`, with commas between: all of them hold. A label that is not there differs from every
 * value, as in Kubernetes. undefined: it is no selector.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#equality-based-requirement
 */
export function parseLabelSelector(text: string): readonly LabelCondition[] | undefined {
  const conditions = text.split(',').map(part => {
    const [, not = '', key = '', operator, value] = CONDITION.exec(part.trim()) ?? [];
    if (key === '' || (not !== '' && operator !== undefined)) return undefined;
    return { key, value, negated: not !== '' || operator === '!=' };
  });
  return conditions.every(condition => condition !== undefined) ? conditions : undefined;
}

export function matchesLabels(
  conditions: readonly LabelCondition[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return conditions.every(({ key, value, negated }) => {
    const actual = Object.hasOwn(labels, key) ? labels[key] : undefined;
    const holds = value === undefined ? actual !== undefined : actual === value;
    return holds !== negated;
  });
}
