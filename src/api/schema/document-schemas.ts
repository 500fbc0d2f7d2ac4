import { type TSchema, Type } from './type.ts';

/*
 * Documents as they are sent, for the OpenAPI document: their own parsers check them, say where and why, and take
 * nothing that is not here. test/api/document-schemas.test.ts compares the two.
 */

const closed = { additionalProperties: false } as const;
const words = (...texts: readonly string[]) => Type.Union(texts.map(text => Type.Literal(text)));
const optional = <T extends TSchema>(fields: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)]));
const AnyObject = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

/** Other fields of Kubernetes' ObjectMeta are taken, and not kept. */
export const DocumentMetadata = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 253 }),
  namespace: Type.Optional(Type.String({ maxLength: 63, description: 'default: that of the path' })),
});

export const NodeSelector = Type.Object(
  { matchLabels: Type.Optional(Type.Record(Type.String(), Type.String())) },
  { ...closed, description: 'nodes of the namespace that have all of these labels; absent: all of them' },
);

const TargetRef = Type.Object(
  {
    group: Type.Optional(Type.String()),
    kind: Type.String({ description: 'Gateway, GatewayClass, NodeGroup, Listener' }),
    name: Type.String(),
  },
  closed,
);

const PluginSpec = Type.Object(
  {
    url: Type.String({ description: 'oci://, https://, http:// or file://; without a scheme oci://' }),
    ...optional<TSchema>({
      selector: NodeSelector,
      targetRef: TargetRef,
      targetRefs: Type.Array(TargetRef, { maxItems: 16 }),
      match: Type.Array(
        Type.Object(
          optional<TSchema>({
            mode: words('UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER'),
            ports: Type.Array(Type.Object({ number: Type.Integer({ minimum: 1, maximum: 65535 }) }, closed)),
          }),
          closed,
        ),
      ),
      sha256: Type.String({
        description: 'of the manifest for oci://, of the module otherwise; lower-case hex',
      }),
      imagePullPolicy: words('UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'),
      imagePullSecret: Type.String({ minLength: 1, maxLength: 253 }),
      verificationKey: Type.String({ description: 'a PEM key, or the name of an authority' }),
      pluginConfig: AnyObject('reaches the plugin as JSON text'),
      pluginName: Type.String({ minLength: 1, maxLength: 256, description: 'root_id of Envoy' }),
      phase: words('AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED_PHASE'),
      priority: Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1, description: 'higher first' }),
      failStrategy: words('FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'),
      vmConfig: Type.Object(
        {
          env: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  name: Type.String({ minLength: 1, maxLength: 256 }),
                  value: Type.Optional(Type.String({ maxLength: 2048 })),
                  valueFrom: Type.Optional(words('INLINE', 'HOST')),
                },
                closed,
              ),
              { maxItems: 256 },
            ),
          ),
        },
        closed,
      ),
      type: words('UNSPECIFIED_PLUGIN_TYPE', 'HTTP'),
      rollout: AnyObject('preset, waves, steps, bake, gates …: docs/rollouts.md'),
    }),
  },
  closed,
);

const Kinds = <T extends TSchema>(kind: string, apiVersion: string, fields: Record<string, T>) =>
  Type.Object(
    { apiVersion: Type.Literal(apiVersion), kind: Type.Literal(kind), metadata: DocumentMetadata, ...fields },
    closed,
  );

export const PluginDocument = Type.Union(
  [
    Kinds('Plugin', 'attache/v1', { spec: PluginSpec, status: Type.Optional(Type.Unknown()) }),
    Kinds('WasmPlugin', 'extensions.istio.io/v1alpha1', {
      spec: PluginSpec,
      status: Type.Optional(Type.Unknown()),
    }),
  ],
  { description: 'A plugin, or a WasmPlugin of Istio as it is. docs/plugins.md' },
);

export const PluginPatch = Type.Object(
  {},
  {
    additionalProperties: true,
    description: 'RFC 7396 merge patch of a plugin as GET shows it: null takes away, a list replaces a list',
  },
);

const EnvoyAny = Type.Object({ '@type': Type.String() }, { additionalProperties: true });
export const EnvoyResourceDocument = Type.Union(
  [
    Type.Object({
      apiVersion: Type.Literal('attache/v1'),
      kind: Type.Literal('EnvoyResource'),
      metadata: DocumentMetadata,
      spec: Type.Object({
        resource: EnvoyAny,
        selector: Type.Optional(NodeSelector),
        slots: Type.Optional(Type.Object({ unanswered: words('deny', 'allow') }, closed)),
      }),
    }),
    EnvoyAny,
  ],
  { description: 'An Envoy resource in proto3 JSON, bare or with a selector. docs/resources.md' },
);

export const PlanRequest = Type.Union(
  [
    PluginDocument,
    EnvoyResourceDocument,
    Type.Object({ documents: Type.Array(Type.Unknown(), { maxItems: 500 }) }, closed),
    Type.Array(Type.Unknown(), { maxItems: 500 }),
  ],
  {
    description:
      'A document, a list of documents, or {documents}; beside documents {delete: {kind, type, namespace, name, now}}',
  },
);

export const ConvertRequest = Type.Union(
  [
    Type.Object({}, { additionalProperties: true }),
    Type.Array(Type.Unknown(), { maxItems: 500, description: 'documents that belong together' }),
  ],
  { description: 'A document of Istio, Higress or Alibaba Cloud, a List, a list, or {documents}' },
);

export const NodeGroupDocument = Type.Object(
  {
    apiVersion: Type.Literal('attache/v1'),
    kind: Type.Literal('NodeGroup'),
    metadata: DocumentMetadata,
    spec: Type.Object(
      {
        selector: Type.Optional(NodeSelector),
        nodes: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
            maxItems: 1000,
            description: 'one of these ids; * stands for any characters',
          }),
        ),
      },
      { ...closed, description: 'what is there has to hold, all of it' },
    ),
    ...optional<TSchema>({ status: Type.Unknown() }),
  },
  { ...closed, description: 'attache/v1 NodeGroup. docs/nodes.md' },
);

export const PullSecretDocument = Type.Object(
  { metadata: DocumentMetadata },
  {
    additionalProperties: true,
    description: 'attache/v1 PullSecret, or a Secret of Kubernetes with .dockerconfigjson. docs/modules.md',
  },
);
