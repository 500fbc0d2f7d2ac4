import type { RegistryContent } from './registry-content.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import { type Exchange, sendJson, toNextLink } from './registry-reply.ts';

/** GET `tags/list`: all, or `n` after `last`. */
export async function listTags(
  content: RegistryContent,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  if (!(await content.exists(repository)))
    throw new RegistryRefusal(404, 'NAME_UNKNOWN', `no repository ${repository}`);
  const tags = (await content.state()).get(repository)?.tags.keys() ?? [];
  const { page, headers } = toPage([...tags], exchange.query, `/v2/${repository}/tags/list`);
  sendJson(exchange.response, 200, { name: repository, tags: page }, headers);
}

/** GET `_catalog`, as docker's registry has it: the names of all repositories, or `n` after `last`. */
export async function listRepositories(content: RegistryContent, exchange: Exchange): Promise<void> {
  const names = [...(await content.state()).keys()];
  const { page, headers } = toPage(names, exchange.query, '/v2/_catalog');
  sendJson(exchange.response, 200, { repositories: page }, headers);
}

function toPage(
  names: readonly string[],
  query: URLSearchParams,
  path: string,
): { readonly page: readonly string[]; readonly headers: Record<string, string> } {
  const n = query.get('n');
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw new RegistryRefusal(400, 'PAGINATION_NUMBER_INVALID', 'n is a whole number');
  const last = query.get('last') ?? '';
  const rest = names.filter(name => name > last).sort();
  const page = n === null ? rest : rest.slice(0, Number(n));
  const end = page.at(-1);
  const headers =
    end !== undefined && page.length < rest.length ? toNextLink(path, { n: n ?? '', last: end }) : {};
  return { page, headers };
}
