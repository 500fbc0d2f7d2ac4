import { type DraftField, toField } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';

/** Where a patch puts a filter: its phase, and whether later patches come before it or behind it. */
export interface FilterPlace {
  readonly phase: DraftField | undefined;
  /** `behind`: right after something, or first of all, so that a later patch of that kind comes before it. */
  readonly order: 'before' | 'behind';
}

/** Istio's filters, by which others are placed, in their order; what stands before or after one of them is a phase. */
const LANDMARKS: readonly { readonly name: RegExp; readonly before: string; readonly after: string }[] = [
  { name: /jwt_authn|istio_authn/, before: 'AUTHN', after: 'AUTHZ' },
  { name: /\.rbac$/, before: 'AUTHZ', after: 'STATS' },
  { name: /istio\.stats|\.stats$/, before: 'STATS', after: 'UNSPECIFIED_PHASE' },
  { name: /router$/, before: 'UNSPECIFIED_PHASE', after: 'UNSPECIFIED_PHASE' },
];

/** A class says what stands before it: AUTHN is behind authentication, so before authorization. */
const CLASSES: ReadonlyMap<unknown, string> = new Map([
  ['AUTHN', 'AUTHZ'],
  ['AUTHZ', 'STATS'],
  ['STATS', 'STATS'],
]);

/**
 * The phase that a filter has by its patch.
 * https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation
 */
export function readFilterPlace(patch: SourcePart, match: SourcePart | undefined): FilterPlace | undefined {
  const operation = patch.get('operation');
  const subFilter = match?.path('listener', 'filter_chain', 'filter', 'sub_filter', 'name');
  switch (operation?.value) {
    case 'ADD':
    case undefined:
      return readAdded(patch);
    case 'INSERT_FIRST':
      return { phase: toField(operation, 'AUTHN'), order: 'behind' };
    case 'INSERT_BEFORE':
      return subFilter === undefined
        ? { phase: toField(operation, 'AUTHN'), order: 'behind' }
        : { phase: readBeside(subFilter, 'before'), order: 'before' };
    case 'INSERT_AFTER':
      return subFilter === undefined
        ? { phase: undefined, order: 'before' }
        : { phase: readBeside(subFilter, 'after'), order: 'behind' };
    default:
      operation?.refuse(
        'not-a-wasm-filter',
        'it changes or removes a filter that is there; only one that is added can be a plugin',
        'Change the listener of your Envoys.',
      );
      return undefined;
  }
}

function readAdded(patch: SourcePart): FilterPlace {
  const filterClass = patch.path('filter_class');
  const phase = CLASSES.get(filterClass?.value);
  return { phase: toField(filterClass, phase), order: 'before' };
}

function readBeside(subFilter: SourcePart, side: 'before' | 'after'): DraftField | undefined {
  const name = subFilter.text() ?? '';
  const phase = LANDMARKS.find(one => one.name.test(name))?.[side];
  if (phase === undefined)
    subFilter.warn(
      'there is no place beside this filter: the plugin comes last before the router',
      'Set phase: AUTHN, AUTHZ or STATS if it has to come earlier.',
    );
  return phase === undefined || phase === 'UNSPECIFIED_PHASE' ? undefined : toField(subFilter, phase);
}
