import type { TreeHead } from '@hitmachine/protocol';
import { logOrigin, signCheckpoint } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { GatewayKeys } from './keys.ts';

interface SignerDeps {
  readonly auditLog: AuditLog;
  readonly keys: GatewayKeys;
  readonly federation: string;
}

/** A signed head of the log: C2SP tlog-checkpoint, without cosignatures. */
export interface SignedHead {
  readonly head: TreeHead;
  readonly note: string;
}

/**
 * Signs the log as it stands. Only what is durable is ever signed, so no crash can leave a signature over entries
 * that are not there. Whoever asks between two entries gets the same signature.
 */
export class CheckpointSigner {
  readonly origin: string;
  readonly #deps: SignerDeps;
  #latest: SignedHead | undefined;

  constructor(deps: SignerDeps) {
    this.#deps = deps;
    this.origin = logOrigin(deps.federation);
  }

  /** The head over everything that is durable now. Throws `storage-failed`. */
  async current(): Promise<SignedHead> {
    const { auditLog, keys } = this.#deps;
    const head = await auditLog.head();
    const latest = this.#latest;
    if (latest?.head.size === head.size) return latest;
    const note = signCheckpoint(keys.suite.backend, keys.identitySeed.reveal(), this.origin, head);
    return (this.#latest = { head, note });
  }
}
