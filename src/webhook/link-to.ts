/** Where a person sees a rollout, or (undefined) what there is; `base`: of the API, without a slash at the end. */
export function linkTo(base: string, rollout: string | undefined): string {
  return rollout === undefined ? `${base}/` : `${base}/v1/rollouts/${encodeURIComponent(rollout)}`;
}
