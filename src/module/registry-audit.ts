import type { AuditDraft } from '../model/audit.ts';
import type { Clock } from '../model/ports.ts';
import type { DenialLog } from '../store/denial-log.ts';
import type { Store } from '../store/store.ts';
import type { RegistryRefusal } from './registry-refusal.ts';

/** Who pushes or deletes, and from where. */
export interface Publisher {
  /** As the audit names them. */
  readonly who: string;
  /** The peer's IP address. */
  readonly address: string;
}

export type RegistryAction = 'registry.pushed' | 'registry.deleted';

/** The part of the audit that is about the built-in registry, whose content is in no record of the store. */
export interface RegistryAudit {
  /** In the audit when it resolves; what rejects is answered as a failure, and done all the same. */
  changed(by: Publisher, action: RegistryAction, subject: string, text: string): Promise<void>;
  /** Never rejects. */
  denied(by: Publisher, subject: string, refusal: RegistryRefusal): Promise<void>;
}

export function createRegistryAudit(ports: {
  readonly store: Store;
  readonly clock: Clock;
  readonly denials: Pick<DenialLog, 'record'>;
}): RegistryAudit {
  const { store, clock, denials } = ports;
  const toDraft = (
    { who, address }: Publisher,
    of: Pick<AuditDraft, 'action' | 'subject' | 'result' | 'text'>,
  ) => ({
    time: new Date(clock.now()).toISOString(),
    actor: who,
    address,
    ...of,
  });
  return {
    async changed(by, action, subject, text) {
      const value = toDraft(by, { action, subject, result: 'done', text });
      await store.transaction([{ op: 'append', kind: 'AuditEntry', value }]);
    },
    async denied(by, subject, { code, message }) {
      const draft = toDraft(by, { action: 'registry.push', subject, result: 'denied', text: message });
      await denials.record({ ...draft, code });
    },
  };
}
