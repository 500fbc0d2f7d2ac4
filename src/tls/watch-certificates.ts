import { toMessage } from '../model/error.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { CertificateStatus, ServerTls, TlsMaterial, TlsPaths } from '../model/server-tls.ts';
import { checkMaterial, isSameMaterial, readFiles, toTrusted } from './read-certificates.ts';

const LOOK_EVERY_MS = 5_000;
const DAY_MS = 86_400_000;
/** Time to renew before anybody is refused. */
const WARN_BEFORE_MS = 14 * DAY_MS;

export interface WatchedTls extends ServerTls {
  stop(): void;
}

/**
 * Reads the files, and every five seconds whether they changed; what changed is used from the next handshake on. Files that
 * cannot be used change nothing: what was there stays, and it is said. Throws TlsError where they cannot be used at the start.
 */
export async function watchCertificates(paths: TlsPaths, clock: Clock, log: Log): Promise<WatchedTls> {
  const material = await readFiles(paths);
  const watch = new CertificateWatch(paths, material, checkMaterial(material, paths), clock, log);
  watch.begin();
  return watch;
}

class CertificateWatch implements WatchedTls {
  readonly #paths: TlsPaths;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<Parameters<ServerTls['onChange']>[0]>();
  #material: TlsMaterial;
  #certificates: readonly CertificateStatus[];
  /** Why the files as they are now are not used. */
  #fault: string | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(
    paths: TlsPaths,
    material: TlsMaterial,
    certificates: readonly CertificateStatus[],
    clock: Clock,
    log: Log,
  ) {
    this.#paths = paths;
    this.#material = material;
    this.#certificates = certificates;
    this.#clock = clock;
    this.#log = log;
  }

  begin(): void {
    this.#sayExpiry();
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  material(): TlsMaterial {
    return this.#material;
  }

  onChange(listener: Parameters<ServerTls['onChange']>[0]): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  certificates(): readonly CertificateStatus[] {
    return this.#certificates;
  }

  warnings(): readonly string[] {
    const now = this.#clock.now();
    const expiry = this.#certificates
      .filter(({ validTo }) => validTo - now < WARN_BEFORE_MS)
      .map(({ use, subject, validTo }) => {
        const what = use === 'tls-cert' ? 'the certificate of the server' : 'a CA of clients';
        const time = new Date(validTo).toISOString();
        return `${what} (${subject}) ${validTo <= now ? 'expired' : 'expires'} at ${time}`;
      });
    const fault = 'new certificates cannot be used, those from before are in use: see the log';
    return [...(this.#fault === undefined ? [] : [fault]), ...expiry];
  }

  #lookLater(): void {
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => {
      this.#look().finally(() => {
        if (!this.#stopped) this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    try {
      const material = await readFiles(this.#paths);
      if (!isSameMaterial(material, this.#material)) this.#take(material);
      this.#fault = undefined;
    } catch (error) {
      const fault = toMessage(error);
      if (fault !== this.#fault)
        this.#log.error({ err: error }, 'new certificates cannot be used: the old ones stay');
      this.#fault = fault;
    }
    if (this.#clock.now() - this.#saidAt >= DAY_MS) this.#sayExpiry();
  }

  #take(material: TlsMaterial): void {
    const certificates = checkMaterial(material, this.#paths);
    const trusted = toTrusted(material);
    const withdrawn = [...toTrusted(this.#material)].some(ca => !trusted.has(ca));
    this.#material = material;
    this.#certificates = certificates;
    this.#log.info({ withdrawn }, 'new certificates are in use');
    for (const listener of this.#listeners) listener({ withdrawn });
    this.#sayExpiry();
  }

  #sayExpiry(): void {
    this.#saidAt = this.#clock.now();
    for (const warning of this.warnings()) this.#log.warn({}, warning);
  }
}
