import { createHash } from 'node:crypto';
import type { Agency, Answer, Backend, CommittedTables, LogKey } from '@hitmachine/protocol';
import { HitError, committedTables, decodeBase64, logOrigin, openCommitment } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { sha256 } from '../../sha256.ts';

interface CommitmentDeps {
  readonly backend: Backend;
  readonly roster: RosterKeeper;
  /** The identity key of the gateway, as it was pinned. */
  readonly gatewayKey: Uint8Array;
  readonly clock: Clock;
  /** Takes every checkpoint that was seen, to be compared with others. What it throws makes the answer invalid. */
  readonly seenCheckpoint?: ((checkpoint: string) => Promise<void>) | undefined;
}

type OpenedCommitment = ReturnType<typeof openCommitment>;

/** An epoch lasts a day. A node that answers from one of before yesterday could as well answer from any that it kept. */
const MAX_AGE_MS = 172_800_000;

/** The tables that a node answered from, and where its commitment to them stands in the gateway's log. */
export interface LoggedTables {
  readonly tables: CommittedTables;
  readonly index: number;
  /** Milliseconds since 1970 at which it was entered. */
  readonly at: number;
}

/**
 * What other nodes committed to, as their answers show it. A commitment costs two signatures to check and comes with
 * every answer of an epoch, so the last one of each node is remembered: as many as there are agencies.
 */
export class NodeCommitments {
  readonly #deps: CommitmentDeps;
  readonly #checked = new Map<string, { readonly key: string; readonly logged: LoggedTables }>();

  constructor(deps: CommitmentDeps) {
    this.#deps = deps;
  }

  /** Forgets what was found good: the log that it stood in does not count any more. */
  clear(): void {
    this.#checked.clear();
  }

  /**
   * The tables that this node committed to, checked; none where the answer brings none. Throws `malformed`,
   * `field-invalid`, `signature-invalid`, `log-proof-invalid` (also for one of more than two days ago) or
   * `unknown-agency`.
   */
  async of(
    node: string,
    { commitment }: Extract<Answer, { type: 'answered' }>,
  ): Promise<LoggedTables | undefined> {
    if (commitment === undefined) return undefined;
    const { roster, gatewayKey, seenCheckpoint } = this.#deps;
    const agency = roster.roster.agencies.find(({ id }) => id === node);
    if (agency === undefined || !roster.isTrusted(node))
      throw new HitError('unknown-agency', `there is no trusted key of ${node} on the roster`);
    // What was found good under one key says nothing under another.
    const key = createHash('sha256').update(agency.identityKey).update(commitment).digest('base64');
    const known = this.#checked.get(node);
    if (known?.key === key) return this.#current(node, known.logged);
    const log = { origin: logOrigin(roster.roster.federation), publicKey: gatewayKey };
    const opened = this.#open(agency, log, commitment);
    await seenCheckpoint?.(opened.checkpoint);
    const logged = { tables: committedTables(opened.commitment, sha256), index: opened.index, at: opened.at };
    this.#checked.set(node, { key, logged });
    return this.#current(node, logged);
  }

  /** Opens a commitment that a node signed with its present key, or with the one of the time at which it was entered. */
  #open(agency: Agency, log: LogKey, commitment: Uint8Array): OpenedCommitment {
    const { backend, roster } = this.#deps;
    const keys = new Set([...roster.identityKeysOf(agency), ...roster.identityKeysOf(agency, 0)]);
    let refusal: unknown;
    for (const key of keys)
      try {
        const identity = { id: agency.id, identityKey: decodeBase64(key, 32) };
        const opened = openCommitment(backend, log, identity, commitment);
        if (roster.identityKeysOf(agency, opened.at).includes(key)) return opened;
        refusal ??= new HitError('signature-invalid', `signed with a key that ${agency.id} no longer has`);
      } catch (error) {
        if (!(error instanceof HitError) || error.code !== 'signature-invalid') throw error;
        refusal ??= error;
      }
    throw refusal;
  }

  #current(node: string, logged: LoggedTables): LoggedTables {
    if (this.#deps.clock() - logged.at <= MAX_AGE_MS) return logged;
    const entered = new Date(logged.at).toISOString();
    throw new HitError(
      'log-proof-invalid',
      `${node} answers from tables that it committed to at ${entered}, more than two days ago`,
    );
  }
}
