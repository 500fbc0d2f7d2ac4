import { DocumentMetadata, NodeSelector } from './document-schemas.ts';
import { ListenerImpact } from './listener-impact.ts';
import { Metadata } from './metadata.ts';
import { ResourceContent } from './node-config-view.ts';
import { NodeChain, NodeSettings, PluginOnNode, RefusedResource, ResourceOnNode } from './node-view.ts';
import { PlanChain, PlannedModuleView, PlannedRollout, PlanProblem, PlanStep } from './plan-view.ts';
import { HeldBack, ModuleOfRevision, NodeCounts, PluginRefusal, PluginStatus } from './plugin-view.ts';
import { ProblemFault } from './problem.ts';
import {
  ConfigChange,
  GateView,
  HistoryRow,
  NextCommand,
  RolloutActionWord,
  RolloutBack,
  RolloutCounts,
  RolloutFailureView,
  RolloutPhaseWord,
  RolloutSide,
  RolloutStepView,
  RolloutTimer,
  StepNodes,
} from './rollout-view.ts';
import { SignatureView } from './signature-view.ts';

/** What answers are made of, where several have it: components of the OpenAPI document that no route names. */
export const SCHEMA_PARTS = {
  Metadata,
  ProblemFault,
  SignatureOfModule: SignatureView,
  ModuleOfRevision,
  PluginStatus,
  NodeCounts,
  PluginRefusal,
  HeldBack,
  PluginOnNode,
  NodeSettings,
  NodeChain,
  ResourceOnNode,
  RefusedResource,
  ResourceContent,
  RolloutPhase: RolloutPhaseWord,
  RolloutAction: RolloutActionWord,
  RolloutSide,
  RolloutStep: RolloutStepView,
  StepNodes,
  Gate: GateView,
  RolloutFailure: RolloutFailureView,
  RolloutBack,
  RolloutTimer,
  RolloutCounts,
  RolloutSummary: HistoryRow,
  ConfigChange,
  NextCommand,
  ListenerImpact,
  PlanProblem,
  PlanChain,
  PlanStep,
  PlannedModule: PlannedModuleView,
  PlannedRollout,
  DocumentMetadata,
  NodeSelector,
} as const;
