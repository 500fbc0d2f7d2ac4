import { type ModuleSignature, toSignatureText } from '../model/module-signature.ts';
import { toTime } from './schema/metadata.ts';
import type { SignatureView } from './schema/signature-view.ts';

export function toSignatureView(signature: ModuleSignature | undefined): SignatureView | null {
  if (signature === undefined) return null;
  const { state, why, refused, by, checkedAt } = signature;
  return {
    state,
    text: toSignatureText(signature),
    why: why ?? null,
    refused,
    by: by.map(({ authority, ...proof }) => ({ authority: authority ?? null, ...proof })),
    checkedAt: toTime(checkedAt),
  };
}
