import { AuditEntryView, AuditList, AuditVerification } from './audit-view.ts';
import { NodeBundle, RolloutBundle } from './bundle-view.ts';
import { CatalogueItemView, CatalogueList } from './catalogue-view.ts';
import { ConversionList } from './conversion-view.ts';
import {
  ConvertRequest,
  EnvoyResourceDocument,
  NodeGroupDocument,
  PlanRequest,
  PluginDocument,
  PluginPatch,
  PullSecretDocument,
} from './document-schemas.ts';
import { EventBookmark, EventEnd, EventList, EventReset, EventView, RolloutUpdated } from './event-view.ts';
import { FreezeView } from './freeze-view.ts';
import { LimitList } from './limit-view.ts';
import { ModuleReport } from './module-report.ts';
import { ModuleList, ModuleView } from './module-view.ts';
import { NodeConfigView, NodeLogLevel, NodeLogs } from './node-config-view.ts';
import { NodeGroupApplyAnswer, NodeGroupList, NodeGroupView } from './node-group-view.ts';
import { NodeAnswer, NodeList, NodeToken, NodeView } from './node-view.ts';
import { Plan, PluginPlan, ResourcePlan } from './plan-view.ts';
import {
  DeleteAnswer,
  PluginApplyAnswer,
  PluginList,
  PluginView,
  RevisionDiff,
  RevisionList,
  RevisionView,
} from './plugin-view.ts';
import { Problem } from './problem.ts';
import { PullSecretApplyAnswer, PullSecretList, PullSecretView } from './pull-secret-view.ts';
import { ResourceApplyAnswer, ResourceList, ResourceView } from './resource-view.ts';
import { RolloutAnswer, RolloutHistory, RolloutList, RolloutView } from './rollout-view.ts';
import { SCHEMA_PARTS } from './schema-parts.ts';
import { Health, Index, ServerView, VersionView, WhoAmI } from './server-view.ts';
import { TokenCreated, TokenList, TokenRevoked, TokenView } from './token-view.ts';
import {
  WebhookApplyAnswer,
  WebhookList,
  WebhookRemoved,
  WebhookTested,
  WebhookView,
} from './webhook-view.ts';

/** Every named schema: the components of the OpenAPI document. */
export const SCHEMAS = {
  Problem,
  Plugin: PluginView,
  PluginList,
  PluginApplyAnswer,
  Revision: RevisionView,
  RevisionList,
  RevisionDiff,
  EnvoyResource: ResourceView,
  EnvoyResourceList: ResourceList,
  EnvoyResourceApplyAnswer: ResourceApplyAnswer,
  PullSecret: PullSecretView,
  PullSecretList,
  PullSecretApplyAnswer,
  NodeGroup: NodeGroupView,
  NodeGroupList,
  NodeGroupApplyAnswer,
  Deleted: DeleteAnswer,
  Rollout: RolloutView,
  RolloutList,
  RolloutHistory,
  RolloutAnswer,
  Freeze: FreezeView,
  Token: TokenView,
  TokenList,
  TokenCreated,
  TokenRevoked,
  Webhook: WebhookView,
  WebhookList,
  WebhookApplyAnswer,
  WebhookRemoved,
  WebhookTested,
  Node: NodeView,
  NodeList,
  NodeAnswer,
  NodeToken,
  NodeConfig: NodeConfigView,
  NodeBundle,
  RolloutBundle,
  NodeLogLevel,
  NodeLogs,
  CatalogueItem: CatalogueItemView,
  CatalogueList,
  Module: ModuleView,
  ModuleList,
  ModuleReport,
  Event: EventView,
  EventList,
  RolloutUpdated,
  EventBookmark,
  EventReset,
  EventEnd,
  AuditEntry: AuditEntryView,
  AuditList,
  AuditVerification,
  Plan,
  PluginPlan,
  ResourcePlan,
  ConversionList,
  PluginDocument,
  PluginPatch,
  EnvoyResourceDocument,
  NodeGroupDocument,
  PullSecretDocument,
  PlanRequest,
  ConvertRequest,
  ...SCHEMA_PARTS,
  LimitList,
  Index,
  Version: VersionView,
  Server: ServerView,
  WhoAmI,
  Health,
} as const;

export type SchemaName = keyof typeof SCHEMAS;
