import { Next, Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** Node × plugin, in the words of the user surface. */
export const PluginStateWord = Type.Union([
  Type.Literal('NotTargeted'),
  Type.Literal('Pending'),
  Type.Literal('Sent'),
  Type.Literal('Fetching'),
  Type.Literal('Accepted'),
  /** Accepted, and the Envoy's own numbers prove that it runs on every worker. */
  Type.Literal('Loaded'),
  Type.Literal('Refused'),
  /** Accepted, and failing since: `detail` has the numbers. */
  Type.Literal('Degraded'),
  Type.Literal('Stale'),
]);

/** What one node says about one plugin. */
export const PluginOnNode = Type.Object({
  node: Type.String(),
  plugin: Type.String({ description: '`<namespace>/<name>`' }),
  state: PluginStateWord,
  reason: Nullable(
    Type.String({
      description: 'A word: Selector, Excluded, NoPlace, NoV8, Removing, Removed, NoRevision, Unreachable',
    }),
  ),
  detail: Nullable(Type.String({ description: 'A sentence for a person: which label differs, what to do' })),
  revision: Nullable(
    Type.Integer({ description: 'The revision that serves on the node; null: none, or not known' }),
  ),
  desiredRevision: Nullable(
    Type.Integer({ description: 'The revision it is to run; null: it is to run none' }),
  ),
  refusedRevision: Nullable(
    Type.Integer({
      description:
        'The newest revision that this node refused; kept beside Accepted when it went back to a good one',
    }),
  ),
  refusedSince: Nullable(Time),
  message: Nullable(Type.String({ description: 'What Envoy said when it refused' })),
  /** Where the cause is, e.g. "that node's Envoy log; look for 'wasm log default/auth'". */
  cause: Nullable(Type.String()),
  /** When `state` began; null where nobody knows. */
  since: Nullable(Time),
  lastKnown: Type.Boolean({
    description: 'True: the node is not connected, so all of this is what was known last',
  }),
});
export type PluginOnNode = Static<typeof PluginOnNode>;

/** A raw Envoy resource that the node refused; it goes on with the one before. */
export const RefusedResource = Type.Object({
  type: Type.String({ description: '`listeners`, `clusters` …' }),
  name: Type.String(),
  message: Type.String(),
  since: Time,
});

/** The plugins of one listener in the order in which a request passes them. */
export const NodeChain = Type.Object({
  listener: Nullable(Type.String({ description: 'null: a place that does not say which listener it is on' })),
  where: Type.String({ description: 'The listener, several of them, or `every listener`' }),
  text: Type.String({ description: '`auth (AUTHN) → limit → router`' }),
  plugins: Type.Array(
    Type.Object({
      plugin: Type.String({ description: '`<namespace>/<name>`' }),
      revision: Type.Integer(),
      phase: Type.String(),
      priority: Type.Integer(),
      why: Nullable(
        Type.String({ description: 'Why it stands behind the one before it; null: it is the first' }),
      ),
    }),
  ),
  ties: Type.Array(Type.String(), {
    description: 'Sentences: two plugins of one phase and priority, and what decided between them',
  }),
});

/** How far a resource got on a node. */
export const ResourceStateWord = Type.Union([
  /** Sent and accepted. */
  Type.Literal('Accepted'),
  /** Sent, and not answered yet. */
  Type.Literal('Sent'),
  /** To be sent. */
  Type.Literal('Pending'),
  /** There for the node, and nothing on it asks for it: an Envoy asks for endpoints, routes and secrets that it uses. */
  Type.Literal('NotAsked'),
  /** Sent and refused; what it accepted before goes on. */
  Type.Literal('Refused'),
  /** The node is not connected, so nothing is known of now. */
  Type.Literal('Unknown'),
]);
export type ResourceStateWord = Static<typeof ResourceStateWord>;

/**
 * One Envoy resource of one node. Versions are of its content; with incremental xDS they are those that Envoy's own config
 * dump shows, in the state of the world that has one for all resources of a type.
 */
export const ResourceOnNode = Type.Object({
  type: Type.String({ description: '`listeners`, `clusters` …; `extensions` are places for plugins too' }),
  name: Type.String({ description: 'As Envoy knows it' }),
  state: ResourceStateWord,
  wantedVersion: Nullable(
    Type.String({ description: 'What the node is to have; null: the resource is to go' }),
  ),
  sentVersion: Nullable(
    Type.String({
      description: 'What was sent last, whatever came of it; null: nothing was, or it was its removal',
    }),
  ),
  ackedVersion: Nullable(
    Type.String({ description: 'What it accepted last; null: nothing that is known of' }),
  ),
  refusedVersion: Nullable(Type.String()),
  message: Nullable(Type.String({ description: "Envoy's text, where it refused" })),
  /** When what `state` says was sent or answered; null: nothing was, or the Envoy brought it as it connected. */
  since: Nullable(Time),
});
export type ResourceOnNode = Static<typeof ResourceOnNode>;

/** What the server side says of a node; see `PATCH /v1/nodes/{id}`. */
export const NodeSettings = Type.Object({
  namespace: Nullable(Type.String({ description: "null: the node's own" })),
  /** Over those of the node's own. */
  labels: Type.Record(Type.String(), Type.String()),
  /** What namespace and labels are worth that the node says it has; null: as the server's setting node-claims has it. */
  claims: Nullable(Type.Union([Type.Literal('kept'), Type.Literal('ignored')])),
  certificate: Nullable(
    Type.String({
      description: "The name in its certificate; null: as the server's setting node-identity has it",
    }),
  ),
  admin: Nullable(Type.String({ description: "Where the server reaches the Envoy's admin interface" })),
  logFile: Nullable(
    Type.String({ description: "The Envoy's log, in the folder of the setting node-log-directory" }),
  ),
});
export type NodeSettings = Static<typeof NodeSettings>;

/** An Envoy. */
export const NodeView = Type.Object({
  kind: Type.Literal('Node'),
  metadata: Type.Object({
    name: Type.String({ description: 'node.id' }),
    namespace: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    firstSeenAt: Time,
  }),
  status: Type.Object({
    state: Type.Union([Type.Literal('Connected'), Type.Literal('Disconnected')]),
    /** When `state` began. */
    since: Time,
    /** The worst plugin state of the node; null: no plugin is to run here. */
    worst: Nullable(PluginStateWord),
    cluster: Type.String(),
    zone: Type.String(),
    envoyVersion: Type.String(),
    /** chain: plugins change without a listener update (Envoy 1.39 and later). */
    groups: Type.Array(Type.String(), { description: 'node groups that hold it, <namespace>/<name>' }),
    layout: Type.Union([Type.Literal('chain'), Type.Literal('single')]),
    wasm: Type.Boolean({ description: 'it has the Wasm filter and V8' }),
    lastAckAt: Nullable(Time),
    /** It is connected, and has not answered what was sent to it then. */
    silentSince: Nullable(Time),
    /** Where several Envoys are connected with this node.id: all of them; plugins and resources are of the last. */
    envoys: Type.Array(Type.Object({ address: Type.String(), since: Time, envoyVersion: Type.String() })),
    /** It takes part in no rollout and stays on what was proven. */
    excluded: Nullable(Type.Object({ by: Type.String(), message: Nullable(Type.String()), since: Time })),
    accepted: Type.Integer({
      description: 'How many of the `desired` plugins run in the revision they are to run in',
    }),
    desired: Type.Integer(),
    places: Type.Array(Type.String(), { description: 'Places for plugins that this Envoy asked for' }),
    plugins: Type.Array(PluginOnNode),
    settings: NodeSettings,
    /** What the node says of itself, where the settings say otherwise; null: there is no difference. */
    claimed: Nullable(
      Type.Object({ namespace: Type.String(), labels: Type.Record(Type.String(), Type.String()) }),
    ),
    /** Everything that it has, was sent or is to have; only where a single node is asked for. */
    resources: Type.Optional(Type.Array(ResourceOnNode)),
    /** What a request passes, per listener; only where a single node is asked for. */
    chains: Type.Optional(Type.Array(NodeChain)),
    refusedResources: Type.Array(RefusedResource),
    warnings: Type.Array(Type.String()),
  }),
});
export type NodeView = Static<typeof NodeView>;

export const NodeList = Type.Object({
  kind: Type.Literal('NodeList'),
  items: Type.Array(NodeView, { description: 'by node.id' }),
  next: Next,
});
export type NodeList = Static<typeof NodeList>;

/** The answer to an exclusion, to its end, to settings, and to forgetting a node. */
export const NodeAnswer = Type.Object({
  kind: Type.Literal('NodeAnswer'),
  node: Type.String(),
  /** excluded, included, configured, forgotten, revoked; unchanged: it was so before. */
  result: Type.Union([
    Type.Literal('excluded'),
    Type.Literal('included'),
    Type.Literal('configured'),
    Type.Literal('forgotten'),
    Type.Literal('revoked'),
    Type.Literal('unchanged'),
  ]),
  dryRun: Type.Boolean({ description: 'Nothing was stored: `result` is what it would be' }),
  text: Type.String({ description: 'One sentence for a person' }),
});
export type NodeAnswer = Static<typeof NodeAnswer>;

/** What an Envoy shows to be taken for this node. */
export const NodeToken = Type.Object({
  kind: Type.Literal('NodeToken'),
  node: Type.String(),
  token: Nullable(Type.String({ description: 'null: of a dry run there is none' })),
  dryRun: Type.Boolean(),
});
export type NodeToken = Static<typeof NodeToken>;
