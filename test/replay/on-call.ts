import { Fleet, GONE } from './fleet.ts';

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
  const write = (name: string, text: string) => desk.write(name, desk.localize(text));
  // By tenths: a first install on 300 nodes at once is a load that the night does not have.
  const quick = '{ steps: [{ share: 10% }, { share: 40% }, { share: 70% }], bake: 1s }';
  const ci = { ATTACHE_TOKEN: fleet.ciToken };
  write('limit-1.0.yaml', toDocument('limit', '1.0', quick));
  write('auth-1.4.yaml', toDocument('auth', '1.4', quick));
  write('auth-1.5.yaml', toDocument('auth', '1.5', quick));
  await desk.must('attache apply -f limit-1.0.yaml --wait', ci);
  await desk.must('attache apply -f auth-1.4.yaml --wait', ci);
  fleet.modelled.get(GONE)?.leave();
  await fleet.untilConnected(299);
  await desk.must('attache apply -f auth-1.5.yaml -m "auth 1.5" --wait', ci);
  return fleet;
}
