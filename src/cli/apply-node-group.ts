import type { NodeGroupApplyAnswer } from '../api/schema/node-group-view.ts';
import { toCountText } from '../model/quantity-text.ts';
import type { PlannedDocument } from './apply-plan.ts';
import { type ChangeOptions, toQuery } from './change-options.ts';
import type { CommandContext } from './command-context.ts';
import type { RestClient } from './rest-client.ts';
import { wrapWarning } from './warning.ts';

/** Stores a node group, or with `dryRun` asks what that would do, and says it. */
export async function applyNodeGroup(
  client: RestClient,
  document: PlannedDocument,
  { message, dryRun }: ChangeOptions,
  context: CommandContext,
): Promise<NodeGroupApplyAnswer> {
  const path = document.path + toQuery({ message, dryRun });
  const answer = await client.put<NodeGroupApplyAnswer>(path, document.body);
  for (const warning of answer.warnings) context.err(wrapWarning(warning));
  context.out(describeAnswer(answer).join('\n'));
  return answer;
}

/** `node group default/edge configured, 3 nodes`, and a line for each plugin that it moves. */
export function describeAnswer(answer: NodeGroupApplyAnswer): readonly string[] {
  const { metadata, result, dryRun, status, moves } = answer;
  const verb = dryRun ? 'would go' : 'goes';
  return [
    `node group ${metadata.namespace}/${metadata.name} ${result}${dryRun ? ' (dry run)' : ''}, ${toCountText(status.nodes.known, 'node')}`,
    ...moves.map(plugin => `  ${plugin} ${verb} to them by a rollout: attache rollout status ${plugin}`),
  ];
}
