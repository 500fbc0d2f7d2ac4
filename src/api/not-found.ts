import { ApiError } from './api-error.ts';

/*
 * What is not there, and what a scope hides: word for word the same, so that nobody learns from an answer that
 * something is outside of his scope.
 */

/** `name`: `<namespace>/<name>` */
export function toUnknownPlugin(name: string): ApiError {
  return new ApiError('not-found', `there is no plugin ${name}`);
}

/** `key`: `<type>/<namespace>/<name>` */
export function toUnknownResource(key: string): ApiError {
  return new ApiError('not-found', `there is no resource ${key}`);
}

/** `key`: `<namespace>/<name>` */
export function toUnknownPullSecret(key: string): ApiError {
  return new ApiError('not-found', `there is no pull secret ${key}`, {
    hint: 'attache get pullsecrets lists them.',
  });
}

export function toUnknownRollout(id: string): ApiError {
  return new ApiError('not-found', `there is no rollout ${id}`, {
    hint: 'A rollout is called NAMESPACE.PLUGIN.NUMBER, or NAMESPACE.PLUGIN.latest.',
  });
}

export function toUnknownNode(id: string): ApiError {
  return new ApiError('not-found', `there is no node ${id}`, {
    hint: 'A node is known from its first connection on.',
  });
}
