import { toCountText } from '../model/quantity-text.ts';
import type { BootstrapOptions } from './bootstrap-document.ts';
import type { ManagedBootstrap } from './bootstrap-from.ts';
import type { ListenerChange } from './bootstrap-listeners.ts';

/** What was done to a user's bootstrap, for people: one fact a line. */
export function describeManaged(file: string, managed: ManagedBootstrap, options: BootstrapOptions): string {
  const { listeners, moved, clusterCount, addedClusters } = managed;
  const names = [
    ...listeners.map(one => {
      const managers = toCountText(one.managerCount, 'HTTP connection manager');
      return `${toName(one)}, port ${one.facts.port}, ${managers}`;
    }),
    ...moved.map(one => one.name),
  ];
  const read = `${toCountText(names.length, 'listener')}${names.length > 0 ? ` (${names.join('; ')})` : ''}`;
  const sink = managed.addedStatsSink ? 'stats sink to Attaché (your stats stay as they are)' : '';
  const own = managed.ads === 'other' || managed.kept.includes('dynamic_resources.ads_config');
  const ads = own ? '' : 'dynamic_resources.ads_config';
  const clusters = addedClusters.length > 0 ? `clusters ${addedClusters.join(', ')}` : '';
  return [
    `read ${file}: ${read}, ${toCountText(clusterCount, 'cluster')}`,
    ...managed.renamed.map(one => `changed ${one}`),
    columns('added', `node.id ${managed.id}, node.cluster ${managed.cluster}`, ads),
    ...(clusters === '' && sink === '' ? [] : [columns('added', clusters, sink)]),
    ...listeners.flatMap(one => describeListener(one)),
    ...managed.kept.map(part => `kept    your own ${part}; Attaché's was not added`),
    `kept    everything else, ${moved.length > 0 ? 'without its listeners' : 'byte for byte'}`,
    ...toNotes(managed, options).map(note => `note    ${note}`),
  ].join('\n');
}

function toName({ facts }: Pick<ListenerChange, 'facts'>): string {
  return facts.name === '' ? `without a name (port ${facts.port})` : facts.name;
}

function describeListener(one: ListenerChange): readonly string[] {
  const name = toName(one);
  const [wasm] = one.wasmFilters;
  const filters = one.wasmFilters.join(', ');
  const own = `note    listener ${name}: your own Wasm filter ${filters} stays, and no rollout changes it; take it out once a plugin does its work`;
  return [describePlaces(one, name), ...(wasm === undefined ? [] : [own])];
}

function describePlaces(one: ListenerChange, name: string): string {
  if (one.managerCount === 0)
    return `note    listener ${name}: no HTTP connection manager, so no places there`;
  if (one.withoutFilters)
    return `note    listener ${name}: no router among its HTTP filters, so no places there`;
  if (one.added.length === 0) return `kept    the places of listener ${name}: they stand there already`;
  const [first, ...rest] = one.added;
  // attache.authn, .authz, .stats: the common beginning is said once.
  const short = rest.map(place => (first?.startsWith('attache.') ? place.replace(/^attache/, '') : place));
  const count = toCountText(one.added.length, 'plugin place');
  return `added   ${count} in listener ${name}, before envoy.filters.http.router: ${[first, ...short].join(', ')}`;
}

function toNotes(managed: ManagedBootstrap, options: BootstrapOptions): readonly string[] {
  const changed = managed.listeners.filter(one => one.added.length > 0).map(toName);
  const notes: string[] = [];
  if (managed.listeners.length + managed.moved.length === 0 && managed.elsewhere.length === 0)
    notes.push('no listener in the file: give the node one, e.g. attache example listener --help');
  if (managed.ads === 'other')
    notes.push(
      'this Envoy keeps its control plane; Attaché fills the plugin places and delivers nothing else to it',
    );
  for (const { what, source } of managed.elsewhere) {
    const consequence =
      what === 'listeners'
        ? 'they get no places, and those that you apply do not'
        : 'those that you apply do not';
    const key = what === 'listeners' ? 'lds_config' : 'cds_config';
    notes.push(
      `${what} come from ${source}, not from Attaché: ${consequence} reach this Envoy. Take ${key} out, and give Attaché those: attache apply`,
    );
  }
  if (changed.length > 0 && options.unanswered === 'deny')
    notes.push(
      `until this Envoy has once reached Attaché, ${changed.length > 1 ? 'listeners' : 'listener'} ${changed.join(', ')} ${changed.length > 1 ? 'serve' : 'serves'} nothing. Open after 15 s instead: --unanswered allow`,
    );
  if (options.layout === 'chain' && changed.length > 0)
    notes.push(
      'needs Envoy 1.39 or later (filter_chain). For older ones name the plugins: --plugins auth,limit',
    );
  if (options.layout === 'single' && options.plugins.length === 0 && changed.length > 0)
    notes.push('before Envoy 1.39 a phase place holds one plugin. For more name them: --plugins auth,limit');
  return [...notes, ...managed.lostStats];
}

function columns(word: string, left: string, right: string): string {
  return `${word}   ${left.padEnd(right === '' ? 0 : 55)} ${right}`.trimEnd();
}
