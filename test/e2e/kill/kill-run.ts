import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttacheProcess } from '../../harness/attache-process.ts';
import { type AttacheScene, serveMain, startAttacheScene } from '../../harness/attache-scene.ts';
import type { EnvoyProcess } from '../../harness/envoy-process.ts';
import { freePort } from '../../harness/free-port.ts';
import { until } from '../../harness/wait.ts';
import { assertNothingLost, waitConverged } from './converged.ts';
import { type NackWatch, watchNacks } from './nack-watch.ts';
import { describeRound, type Round, tellStory } from './story.ts';
import { DOWNLOAD_BYTES_PER_SECOND, MAIN, SECOND, toSignature, type Wanted, WishMaker } from './wanted.ts';
import { startWatchedLoad, type WatchedLoad } from './watched-load.ts';

export interface KillOptions {
  readonly seed: number;
  readonly count: number;
  readonly say: (line: string) => void;
}

/** At least this many requests a second must have been answered while the Envoy was there. */
const LEAST_PER_SECOND = 200;
const PER_SECOND = 300;

/**
 * One Attaché, one Envoy 1.40.0 and steady load, through all the kills of a seed's story. After each kill everything
 * converges; at the end no request failed and none passed without the plugin.
 */
export async function runKills(t: TestContext, { seed, count, say }: KillOptions): Promise<void> {
  const run = await KillRun.start(t);
  const began = performance.now();
  try {
    for (const round of tellStory(seed, count)) await run.play(round, say);
  } catch (error) {
    const kept = await run.keepLogs();
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}\nlogs: ${kept}`, {
      cause: error,
    });
  }
  const { load } = run.watched;
  const seconds = Math.round((performance.now() - began) / 1000);
  const rate = Math.round(run.watched.rate());
  say(
    `seed ${seed}, ${count} kills in ${seconds} s: ${load.total - load.excused} requests on 4 connections` +
      ` (${rate} a second), ${load.failed} failed, ${load.withoutPlugin} without the plugin;` +
      ` ${load.excused} more found no Envoy; ${run.unanswered} kills between a NACK and its answer,` +
      ` ${run.cutDownloads} in mid-download`,
  );
  assert.ok(count < 20 || run.unanswered > 0, 'no kill came between a NACK and its answer');
  assert.ok(count < 20 || run.cutDownloads > 0, 'no kill cut a download');
  assert.ok(rate >= LEAST_PER_SECOND, `${rate} requests a second are too few`);
}

class KillRun {
  readonly watched: WatchedLoad;
  readonly #scene: AttacheScene;
  readonly #wishes: WishMaker;
  #envoy: EnvoyProcess;
  #wanted: Wanted;

  private constructor(scene: AttacheScene, watched: WatchedLoad, wishes: WishMaker, wanted: Wanted) {
    this.#scene = scene;
    this.watched = watched;
    this.#wishes = wishes;
    this.#envoy = scene.envoy;
    this.#wanted = wanted;
  }

  static async start(t: TestContext): Promise<KillRun> {
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const [xds, modules, api, main] = ports.map(port => `127.0.0.1:${port}`);
    const flags = [
      `--xds-listen=${xds}`,
      `--modules-listen=${modules}`,
      `--api-listen=${api}`,
      '--log-level=debug',
    ];
    const scene = await startAttacheScene(t, { version: '1.40.0', attache: { flags } });
    const port = ports[3];
    assert.ok(main !== undefined && port !== undefined);
    await serveMain(scene, { address: { socket_address: { address: '127.0.0.1', port_value: port } } });
    const wishes = new WishMaker(scene.attache, randomBytes(3).toString('hex'));
    const wanted = await wishes.first();
    await apply(scene, MAIN, wanted);
    await waitConverged(scene.attache, scene.node, wanted, 0);
    const watched = startWatchedLoad(t, port, PER_SECOND);
    watched.allow(toSignature(wanted));
    await watched.untilOnly(toSignature(wanted), 100);
    return new KillRun(scene, watched, wishes, wanted);
  }

  async play(round: Round, say: (line: string) => void): Promise<void> {
    const before = this.#wanted;
    const wanted = await this.#wishes.after(before, round.action);
    const plugin = round.action === 'second plugin' ? SECOND : MAIN;
    this.watched.allow(toSignature(before), toSignature(wanted));
    const acknowledged = await this.#applyAndKill(round, plugin, wanted);
    const back = performance.now();
    await assertNothingLost(this.#scene.attache, wanted, acknowledged ? undefined : plugin);
    // Whoever got no answer says it again.
    if (!acknowledged) await apply(this.#scene, plugin, wanted);
    await waitConverged(this.#scene.attache, this.#scene.node, wanted, this.#killedAt);
    await this.watched.untilOnly(toSignature(wanted), 60);
    this.watched.allow(toSignature(wanted));
    this.#wanted = wanted;
    // Whoever was killed in the middle asks again.
    if (round.kill.moment.kind === 'download' && this.#scene.modulesProxy.count() > this.#getsAtKill)
      this.cutDownloads += 1;
    const took = ((performance.now() - back) / 1000).toFixed(1);
    say(`${describeRound(round)}${acknowledged ? '' : ', not acknowledged'}; right after ${took} s`);
    this.#assertClean();
  }

  /** How often Attaché was killed between a NACK and its answer. */
  unanswered = 0;
  /** How often a kill cut a download: on a busy machine one may have ended a moment before. */
  cutDownloads = 0;
  #killedAt = 0;
  /** GETs of modules until the kill. */
  #getsAtKill = 0;

  /** Whether the document was acknowledged. */
  async #applyAndKill(round: Round, plugin: string, wanted: Wanted): Promise<boolean> {
    const { attache, modulesProxy } = this.#scene;
    const { kill } = round;
    const nacks = await watchNacks(attache);
    const downloads = modulesProxy.count();
    if (kill.moment.kind === 'download' && kill.victim !== 'both')
      modulesProxy.behave({ bytesPerSecond: DOWNLOAD_BYTES_PER_SECOND });
    const applied = apply(this.#scene, plugin, wanted).then(
      () => true,
      (error: unknown) => {
        // The connection broke: that is what a kill does. Anything else is an answer, and wrong.
        if (error instanceof TypeError) return false;
        throw error;
      },
    );
    applied.catch(() => {});
    if (kill.moment.kind === 'NACK') {
      const { n } = kill.moment;
      await until(async () => (await nacks.count()) >= n, { what: `NACK ${n}`, everyMs: 2 });
    }
    if (kill.moment.kind === 'download' && kill.victim !== 'both') await this.#untilDownload(downloads);
    if (kill.victim === 'both') await this.#killBoth(round, applied, wanted);
    else {
      await delay(kill.afterMs);
      this.#killedAt = Date.now();
      this.#getsAtKill = modulesProxy.count();
      if (kill.victim === 'envoy') await this.#killEnvoy(round.awayMs);
      else await this.#killAttache(round.awayMs, nacks);
    }
    modulesProxy.behave({});
    return applied;
  }

  async #killAttache(awayMs: number, nacks?: NackWatch): Promise<void> {
    await this.#scene.attache.kill9();
    if (await nacks?.isUnanswered()) this.unanswered++;
    await delay(awayMs);
    await this.#scene.attache.startAgain();
  }

  async #killEnvoy(awayMs: number): Promise<void> {
    this.watched.envoyKilled();
    await this.#envoy.kill9();
    await delay(awayMs);
    const starting = this.#scene.startEnvoyAgain();
    this.watched.envoyStarted();
    this.#envoy = await starting;
  }

  async #killBoth({ kill, awayMs }: Round, applied: Promise<boolean>, wanted: Wanted): Promise<void> {
    const { attache, node, modulesProxy } = this.#scene;
    const inDownload = kill.moment.kind === 'download';
    if (inDownload) {
      await applied;
      await waitConverged(attache, node, wanted, 0);
    }
    this.watched.envoyKilled();
    await this.#envoy.kill9();
    const downloads = modulesProxy.count();
    if (inDownload) modulesProxy.behave({ bytesPerSecond: DOWNLOAD_BYTES_PER_SECOND });
    const starting = this.#scene.startEnvoyAgain();
    this.watched.envoyStarted();
    if (inDownload) await this.#untilDownload(downloads);
    await delay(kill.afterMs);
    this.#killedAt = Date.now();
    this.#getsAtKill = modulesProxy.count();
    await this.#killAttache(awayMs);
    this.#envoy = await starting;
  }

  async #untilDownload(before: number): Promise<void> {
    const { modulesProxy } = this.#scene;
    await until(() => modulesProxy.count() > before, { what: 'the download', everyMs: 5 });
  }

  #assertClean(): void {
    const { failed, withoutPlugin, failures, lastWithoutPlugin } = this.watched.load;
    assert.equal(failed, 0, `failed requests: ${JSON.stringify(failures.slice(0, 5))}`);
    assert.equal(withoutPlugin, 0, `without the plugin, at last at ${lastWithoutPlugin?.toISOString()}`);
  }

  /** Copies what is needed to understand a failure to a folder that stays. */
  async keepLogs(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'attache-kill-failed-'));
    const { attache, node } = this.#scene;
    await copyFile(join(attache.folder, 'attache.log'), join(folder, 'attache.log'));
    await writeFile(join(folder, 'envoy.log'), await this.#envoy.log());
    const answers = ['/v1/plugins', `/v1/nodes/${node}`].map(path =>
      attache.request('GET', path).then(
        ({ body }) => body,
        error => String(error),
      ),
    );
    const dump = await this.#envoy.admin('/config_dump?include_eds').catch(String);
    await writeFile(join(folder, 'answers.json'), JSON.stringify(await Promise.all(answers), null, 1));
    await writeFile(join(folder, 'config_dump.json'), dump);
    return folder;
  }
}

/** To everybody at once, as these stories are about the push; proven in a moment. */
const ROLLOUT = { preset: 'all-at-once', bake: '1s' };

/** Applies what is wanted of one plugin, or deletes it. */
async function apply({ attache }: AttacheScene, plugin: string, { main, second }: Wanted): Promise<void> {
  const wish = plugin === MAIN ? main : second;
  if (wish !== undefined) {
    const spec = { url: wish.url, pluginConfig: { stamp: wish.text }, rollout: ROLLOUT };
    await attache.applyPlugin(plugin, spec);
    if (wish.isAgain) await retry(attache, plugin);
    return;
  }
  const { status, body } = await attache.request('DELETE', `/v1/plugins/default/${plugin}?now=true`);
  // 404: the first time was heard after all.
  if (status >= 300 && status !== 404) throw new Error(`DELETE ${plugin}: ${status} ${JSON.stringify(body)}`);
}

/** What was refused before is held back until somebody asks for it. */
async function retry(attache: AttacheProcess, plugin: string): Promise<void> {
  const isHeld = async () =>
    (await attache.must('GET', `/v1/plugins/default/${plugin}`)).status.heldBack !== null;
  await until(isHeld, { what: `${plugin} to be held back` });
  const { status, body } = await attache.request('POST', `/v1/rollouts/default.${plugin}.latest/retry`, {});
  // 409: the first time was heard after all.
  if (status >= 300 && status !== 409) throw new Error(`retry ${plugin}: ${status} ${JSON.stringify(body)}`);
}
