import { AttacheError } from '../model/error.ts';
import type { ModulePlan } from '../model/module-plan.ts';
import { type GroupMembers, nodeGroupKey, withMembers } from '../model/node-group.ts';
import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { resourceKey } from '../model/resource.ts';
import { markOtherSecrets, openResource } from '../model/resource-secret.ts';
import { requirePlugin, requireResource } from './access/require.ts';
import { readVisible } from './access/visible.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { findMatchWarning, findMissingWarnings, findPortWarnings } from './apply-warnings.ts';
import { checkDocument, withPointer } from './check-document.ts';
import { findPlugin } from './fleet.ts';
import { readNodeGroups } from './node-groups.ts';
import { toUnknownPlugin, toUnknownResource } from './not-found.ts';
import { type Planned, planPlugin } from './plan-plugin.ts';
import type { PlanDelete, PlanItem } from './plan-request.ts';
import { planResource } from './plan-resource.ts';
import type { PlanState } from './plan-state.ts';
import { refuseConflicts } from './refuse-conflicts.ts';
import type { Plan, PluginPlan, ResourcePlan } from './schema/plan-view.ts';

export interface PlanOptions {
  /** `apply --preset` */
  readonly preset: string | undefined;
  /** False: modules are not looked at, so that only documents are planned. */
  readonly modules: boolean;
  /** The caller went. */
  readonly signal: AbortSignal;
}

/**
 * What applying or deleting would do, without storing anything; each item as if those before it were stored and
 * rolled out. Codes: those of applyResource, `not-found` for what cannot be deleted.
 */
export async function planDocuments(
  context: CallContext,
  items: readonly PlanItem[],
  options: PlanOptions,
): Promise<Plan> {
  const groups = await readGroups(context, items);
  const changes = await Promise.all(
    items.flatMap(item => (item.kind === 'nodegroup' ? [] : prepare(context, item, options, groups))),
  );
  // After the modules, which can take long: what is told is how things stand now.
  let state = await readState(context);
  const plans: Plan['items'] = [];
  for (const change of changes) {
    const { plan, after } = change(state);
    plans.push(plan);
    state = after;
  }
  // What a document names may stand behind it in the list.
  for (const plan of plans)
    if (plan.kind === 'ResourcePlan') plan.warnings.push(...findReferenceWarnings(context, state, plan));
  return { kind: 'Plan', differs: plans.some(({ differs }) => differs), items: plans };
}

/** Plans one plugin, as the dry run of its PUT or DELETE does. */
export async function planOnePlugin(
  context: CallContext,
  item: Extract<PlanItem, { readonly kind: 'plugin' | 'delete' }>,
  options: PlanOptions,
): Promise<PluginPlan> {
  const plan = (await planDocuments(context, [item], options)).items[0];
  if (plan?.kind !== 'PluginPlan') throw new ApiError('not-found', 'there is no such plugin');
  return plan;
}

/** What stands beside the plugins of a scope is none of its business in a plan either. */
async function readState(context: CallContext): Promise<PlanState> {
  const [fleet, { records }] = await Promise.all([readVisible(context), context.store.list('ResourceSpec')]);
  return { fleet, resources: new Map(records.map(({ key, value }) => [key, value])) };
}

/** Those that are stored, and over them those of the list, wherever in it they stand. */
async function readGroups(
  { store }: ApiContext,
  items: readonly PlanItem[],
): Promise<ReadonlyMap<string, GroupMembers>> {
  const own = items.flatMap(item =>
    item.kind === 'nodegroup' ? [[nodeGroupKey(item.document), item.document] as const] : [],
  );
  return new Map<string, GroupMembers>([...(await readNodeGroups(store)), ...own]);
}

/** An item that is planned. */
type PlanChange = Exclude<PlanItem, { readonly kind: 'nodegroup' }>;

/** What is slow of an item; the answer is the rest of it. */
async function prepare(
  context: CallContext,
  item: PlanChange,
  options: PlanOptions,
  groups: ReadonlyMap<string, GroupMembers>,
): Promise<(state: PlanState) => Planned<PluginPlan | ResourcePlan>> {
  await requireItem(context, item);
  switch (item.kind) {
    case 'plugin': {
      const { preset, modules, signal } = options;
      const spec = {
        ...withMembers(item.document, groups),
        ...(preset === undefined ? {} : { preset }),
        by: context.caller.who,
        createdAt: context.clock.now(),
      };
      if (!modules) await checkPluginConfig(context, spec, item.pointer, signal);
      const module = modules ? await context.planModule?.(spec, signal) : undefined;
      return state => planApplied(state, spec, module);
    }
    case 'resource':
      return planCheckedResource(context, item);
    case 'delete':
      return state => planDeleted(context, state, item);
    default:
      return item satisfies never;
  }
}

/** What may not be changed is not planned: a plan tells what it would do to nodes. */
function requireItem(context: CallContext, item: PlanChange): Promise<void> {
  if (item.kind === 'plugin') return requirePlugin(context, toPluginName(item.document), [item.document]);
  if (item.kind === 'resource') return requireResource(context, resourceKey(item.document), [item.document]);
  const { type, namespace, name } = item;
  if (type === undefined) return requirePlugin(context, toPluginName(item));
  return requireResource(context, resourceKey({ type, namespace, name }));
}

/** Faults point into the whole request. A plan with modules finds them as a problem of the module. */
async function checkPluginConfig(
  context: ApiContext,
  spec: PluginSpec,
  pointer: string,
  signal: AbortSignal,
): Promise<void> {
  const faults = (await context.checkPluginConfig?.(spec, signal)) ?? [];
  const [first] = faults;
  if (first === undefined) return;
  const hint = first.hint === undefined ? {} : { hint: first.hint };
  throw new AttacheError('config-mismatch', `pluginConfig does not fit its module: ${first.message}`, {
    faults: faults.map(fault => ({ ...fault, pointer: pointer + fault.pointer })),
    ...hint,
  });
}

function planApplied(
  state: PlanState,
  document: PluginSpec,
  module: ModulePlan | undefined,
): Planned<PluginPlan> {
  const known = findPlugin(state.fleet, toPluginName(document))?.value;
  return planPlugin(state, { spec: { ...document, ...keepAge(known) }, module });
}

function planDeleted(
  { clock, findReferences, caller }: CallContext,
  state: PlanState,
  { type, namespace, name, now }: PlanDelete,
): Planned<PluginPlan | ResourcePlan> {
  if (type !== undefined) {
    if (!state.resources.has(`${type}/${namespace}/${name}`))
      throw toUnknownResource(`${type}/${namespace}/${name}`);
    return planResource(state, { type, namespace, name }, undefined, [], findReferences);
  }
  const spec = findPlugin(state.fleet, toPluginName({ namespace, name }))?.value;
  if (spec === undefined) throw toUnknownPlugin(`${namespace}/${name}`);
  return planPlugin(state, {
    spec: { ...spec, deleted: { at: clock.now(), by: caller.who, now } },
    module: null,
  });
}

function findReferenceWarnings(
  context: ApiContext,
  { fleet, resources }: PlanState,
  plan: ResourcePlan,
): readonly string[] {
  const spec = resources.get(resourceKey(plan));
  return spec === undefined ? [] : findMissingWarnings(context, fleet, spec, resources.values());
}

/** What is there already keeps its place among those of its priority. */
function keepAge(
  known: { readonly createdAt: number } | undefined,
): { readonly createdAt: number } | undefined {
  return known === undefined ? undefined : { createdAt: known.createdAt };
}

/** A resource is checked against Envoy's API first, and then against what stands by then; its faults point into the whole request. */
async function planCheckedResource(
  context: CallContext,
  { document, body, pointer }: PlanItem & { readonly kind: 'resource' },
): Promise<(state: PlanState) => Planned<ResourcePlan>> {
  try {
    const checked = await checkDocument(context, { ...document, message: undefined }, body);
    return state => {
      const known = state.resources.get(resourceKey(checked.spec));
      const spec = { ...checked.spec, ...keepAge(known) };
      try {
        refuseConflicts(context, state.fleet, spec, state.resources.values(), checked.pointer);
      } catch (thrown) {
        throw withPointer(thrown, pointer);
      }
      const warnings = [
        ...checked.warnings,
        ...findMatchWarning(state.fleet, `${spec.namespace}/${spec.name}`, spec),
        ...findPortWarnings(context, state.fleet, spec),
      ];
      const shown = known && {
        before: { shown: known.resource, full: openResource(context.seal, known) },
        after: { shown: spec.resource, full: checked.resource },
      };
      const compared = shown === undefined ? spec.resource : markOtherSecrets(shown.before, shown.after);
      return planResource(state, spec, { spec, compared }, warnings, context.findReferences);
    };
  } catch (thrown) {
    throw withPointer(thrown, pointer);
  }
}
