import type { AgencyLogHead, Backend, BucketTree, Logged, TableCommitment } from '@hitmachine/protocol';
import {
  HitError,
  committedTable,
  encodeBase64,
  logOrigin,
  openCommitment,
  packCommitment,
  rootOf,
} from '@hitmachine/protocol';
import type { StoredEpoch } from '../../ports/epoch-store.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { AgencyKeys } from '../keys.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** An epoch with the trees over its tables, which may not be answered from before it is committed to. */
export interface BuiltEpoch extends Omit<StoredEpoch, 'commitment'> {
  readonly tables: readonly (StoredEpoch['tables'][number] & { readonly tree: BucketTree })[];
}

interface CommitterDeps {
  readonly backend: Backend;
  readonly keys: AgencyKeys;
  readonly agency: string;
  readonly roster: RosterKeeper;
  readonly gateway: Pick<GatewayClient, 'commitTables' | 'latestTables'>;
  /** The identity key of the gateway, as it was pinned. */
  readonly gatewayKey: Uint8Array;
  /** Head of the agency's own log, which each commitment puts on record as well. */
  readonly logHead?: (() => Promise<AgencyLogHead>) | undefined;
  /** Takes every checkpoint that was seen, to be compared with others. */
  readonly seenCheckpoint?: ((checkpoint: string) => Promise<void>) | undefined;
}

/**
 * Binds this agency to the tables of an epoch: signs their roots, has them entered in the gateway's log, and believes
 * that they are only when the receipt says so.
 */
export class TableCommitter {
  readonly #deps: CommitterDeps;
  /** What was last sent: sent again word for word, so that the gateway knows it for the same. */
  #sent: TableCommitment | undefined;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
  }

  /**
   * The logged commitment to an epoch, as answers carry it. May be called again after a failure. Throws what
   * `commitTables` throws (`already-exists`: this epoch cannot be committed to any more), and `signature-invalid` or
   * `log-proof-invalid` for a receipt that does not hold.
   */
  async commit(built: BuiltEpoch): Promise<Uint8Array> {
    if (this.#sent?.epoch !== built.epoch) this.#sent = await this.#newCommitment(built);
    const commitment = this.#sent;
    const logged: Logged = await this.#deps.gateway.commitTables(commitment);
    const packed = packCommitment(logged, this.#log);
    const opened = this.#open(packed);
    if (opened.body !== JSON.stringify(commitment))
      throw new HitError('log-proof-invalid', 'the gateway logged another commitment than was sent');
    await this.#deps.seenCheckpoint?.(opened.checkpoint);
    return packed;
  }

  /** The latest commitment of this agency in the gateway's log. Throws as `latestTables` and `openCommitment` do. */
  async latest(): Promise<TableCommitment> {
    const logged = await this.#deps.gateway.latestTables();
    return this.#open(packCommitment(logged, this.#log)).commitment;
  }

  /** Throws unless a stored commitment is this agency's, is logged, and is to exactly these tables. */
  check(built: BuiltEpoch, packed: Uint8Array): void {
    const { commitment } = this.#open(packed);
    const told = ({ epoch, day, tables }: TableCommitment): string => JSON.stringify([epoch, day, tables]);
    if (told(commitment) !== told(this.#commitmentTo(built)))
      throw new HitError('log-proof-invalid', 'the tables are not those that were committed to');
  }

  async #newCommitment(built: BuiltEpoch): Promise<TableCommitment> {
    const head = await this.#deps.logHead?.();
    if (head === undefined) return this.#commitmentTo(built);
    const logHead = { sequence: head.sequence, chain: encodeBase64(head.chain) };
    return { ...this.#commitmentTo(built), logHead };
  }

  #commitmentTo({ epoch, day, tables }: BuiltEpoch): TableCommitment {
    return {
      format: 'hitmachine-tables-1',
      epoch,
      day,
      tables: tables
        .map(({ register, tokenType, table, tree }) =>
          committedTable(register, tokenType, { ...table, root: rootOf(tree) }),
        )
        .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    };
  }

  #open(packed: Uint8Array) {
    const { backend, agency, keys } = this.#deps;
    // What was committed to before a change of keys is signed with those of then.
    const signedWith = keys.identities.find(({ identityKey }) =>
      isSignedBy(() => openCommitment(backend, this.#log, { id: agency, identityKey }, packed)),
    );
    const { identityKey } = signedWith ?? keys;
    return openCommitment(backend, this.#log, { id: agency, identityKey }, packed);
  }

  get #log() {
    return { origin: logOrigin(this.#deps.roster.roster.federation), publicKey: this.#deps.gatewayKey };
  }
}

function isSignedBy(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (error instanceof HitError) return false;
    throw error;
  }
}

const nameOf = ({ register, tokenType }: TableCommitment['tables'][number]): string =>
  `${register} ${tokenType}`;
