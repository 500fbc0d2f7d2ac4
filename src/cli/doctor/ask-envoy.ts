import { formatAddress, type ListenAddress } from '../../config.ts';
import { toMessage } from '../../model/error.ts';
import { type Finding, problem, type Report } from './finding.ts';
import { judgeEnvoy } from './judge-envoy.ts';
import { readEnvoy } from './read-envoy.ts';

const TIMEOUT_MS = 10_000;
/** Only what the rules look at: a busy Envoy has tens of thousands. */
const STATS = '^(control_plane\\.|wasm\\.)|attache_closed';

/** Asks an Envoy's admin interface, changes nothing there, and says what is wrong with it. */
export async function examineEnvoy(address: ListenAddress): Promise<Report> {
  const place = formatAddress(address);
  return { about: `Envoy at ${place}`, findings: await examine(`http://${place}`) };
}

async function examine(url: string): Promise<readonly Finding[]> {
  const get = async (path: string) => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? response.text() : '';
  };
  try {
    const texts = await Promise.all([
      get('/server_info'),
      get('/config_dump'),
      get('/init_dump'),
      get('/clusters'),
      get(`/stats?filter=${encodeURIComponent(STATS)}`),
    ]);
    const [serverInfo, configDump, initDump] = texts.map(parseJson);
    const reading = readEnvoy({ serverInfo, configDump, initDump, clusters: texts[3], stats: texts[4] });
    const findings = reading && judgeEnvoy(reading);
    return (
      findings ?? [
        problem('not-envoy', `${url} answers, and is no admin interface of an Envoy: name that one`),
      ]
    );
  } catch (error) {
    const why = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return [
      problem(
        'envoy-unreachable',
        `${url} does not answer (${toMessage(why)}): start the Envoy, or name its admin port; attache bootstrap --admin-port writes one`,
      ),
    ];
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
