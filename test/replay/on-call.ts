import { Fleet, GONE } from './fleet.ts';
import type { Check } from './step.ts';

/** What the pipeline has. */
export const asCi = (fleet: Fleet) => ({ env: { ATTACHE_TOKEN: fleet.ciToken } });

/** The night's own steps: those of `standard`, with soaks that a replay can wait for. */
export const SHORTENED =
  '{ steps: [{ nodes: 1, soak: 6s }, { share: 10%, soak: 15s }, { share: 50%, soak: 15s }], bake: 15s }';
/** What only the host knows. */
export const ENV = '  vmConfig: { env: [{ name: TOKEN_FILE, valueFrom: HOST }] }\n';

/** Lays a document down. */
export function write(fleet: Fleet, name: string, text: string): void {
  fleet.desk.write(name, fleet.desk.localize(text));
}

/** All real Envoys answer as auth of this version says. */
export async function realRun(fleet: Fleet, version: string): Promise<Check> {
  const stamps = await Promise.all(fleet.real.map(({ stamp }) => stamp()));
  return {
    what: `the six real Envoys run auth ${version}`,
    isSo: stamps.every(stamp => stamp === version),
    seen: stamps.join(', '),
  };
}

/** A document of the night, as CI has it. */
export function toDocument(plugin: string, tag: string, rollout: string, env = ''): string {
  return `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: ${plugin}, namespace: edge }
spec:
  url: oci://registry.example/${plugin}:${tag}
  phase: ${plugin === 'auth' ? 'AUTHN' : 'AUTHZ'}
  selector: { matchLabels: { role: edge } }
  pluginConfig: { ${plugin === 'auth' ? 'stamp' : 'value'}: "${tag}" }
${env}${rollout === '' ? '' : `  rollout: ${rollout}\n`}`;
}

/** What was there before the night: two plugins everywhere, and a node that went before the newest of them came. */
export async function startNight(): Promise<Fleet> {
  const fleet = await Fleet.start();
  const { desk } = fleet;
  // By tenths: a first install on 300 nodes at once is a load that the night does not have.
  const quick = '{ steps: [{ share: 10% }, { share: 40% }, { share: 70% }], bake: 1s }';
  const ci = { ATTACHE_TOKEN: fleet.ciToken };
  write(fleet, 'limit-1.0.yaml', toDocument('limit', '1.0', quick));
  write(fleet, 'auth-1.4.yaml', toDocument('auth', '1.4', quick));
  write(fleet, 'auth-1.5.yaml', toDocument('auth', '1.5', quick));
  await desk.must('attache apply -f limit-1.0.yaml --wait', ci);
  await desk.must('attache apply -f auth-1.4.yaml --wait', ci);
  fleet.modelled.get(GONE)?.leave();
  await fleet.untilConnected(299);
  await desk.must('attache apply -f auth-1.5.yaml -m "auth 1.5" --wait', ci);
  return fleet;
}
