import type { PluginApplyAnswer } from './plugin-view.ts';
import type { PullSecretApplyAnswer } from './pull-secret-view.ts';
import type { ResourceApplyAnswer } from './resource-view.ts';

/** The answer to any PUT; `kind` tells which. */
export type ApplyAnswer = PluginApplyAnswer | ResourceApplyAnswer | PullSecretApplyAnswer;
