import { status } from '@grpc/grpc-js';
import { XdsError, type XdsErrorCode } from './xds-error.ts';

const STATUS: Readonly<Record<XdsErrorCode, status>> = {
  'malformed-message': status.INVALID_ARGUMENT,
  'node-id-missing': status.INVALID_ARGUMENT,
  'type-url-missing': status.INVALID_ARGUMENT,
  'type-url-foreign': status.INVALID_ARGUMENT,
  'node-changed': status.INVALID_ARGUMENT,
  'node-credential-missing': status.UNAUTHENTICATED,
  'node-credential-wrong': status.UNAUTHENTICATED,
  'node-credential-expired': status.UNAUTHENTICATED,
  'node-credential-revoked': status.PERMISSION_DENIED,
  'node-refused': status.PERMISSION_DENIED,
  'message-too-large': status.RESOURCE_EXHAUSTED,
  'too-many-connections': status.RESOURCE_EXHAUSTED,
  'too-many-streams': status.RESOURCE_EXHAUSTED,
  'too-many-new-streams': status.RESOURCE_EXHAUSTED,
  'requests-too-fast': status.RESOURCE_EXHAUSTED,
  'too-many-names': status.RESOURCE_EXHAUSTED,
  'first-request-missing': status.DEADLINE_EXCEEDED,
  'bad-node-matcher': status.INVALID_ARGUMENT,
  'xds-listen-failed': status.UNAVAILABLE,
};

/** The only place where errors become gRPC statuses; anything unexpected stays generic on the wire. */
export function toGrpcStatus(thrown: unknown): { code: status; details: string } {
  if (thrown instanceof XdsError)
    return { code: STATUS[thrown.code], details: `${thrown.code}: ${thrown.message}` };
  return { code: status.INTERNAL, details: 'internal error; see the log of Attaché' };
}
