import type { Backend, LogEntry, LookupOpened, Receipt, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  LIMITS,
  checkLoggedRequest,
  constantTimeEqual,
  decodeBase64,
  decodeEntry,
  leafHash,
  parseReceipt,
  utf8ToBytes,
  verifyInclusion,
} from '@hitmachine/protocol';
import { fromBase64 } from '@hitmachine/service';
import type { Clock } from '../../ports/clock.ts';
import type { SentRequest, ShownEntry } from '../../ports/gateway-client.ts';
import type { ReceiptStore } from '../../ports/receipt-store.ts';
import type { AgencyKeys } from '../keys.ts';
import { sha256 } from '../../sha256.ts';
import type { LogView } from './log-view.ts';

/** What the gateway shows of a lookup: to who asked the lookup itself, to who was asked that it was. */
type LookupEntry = Extract<LogEntry, { event: 'lookup' | 'canary' | 'answer' }>;

/** An entry about one lookup, of which the gateway proved that it stands in the log. */
export interface ProvedLookup extends Receipt {
  readonly entry: LookupEntry;
  readonly leaf: Uint8Array;
}

interface ReceiptDeps {
  readonly backend: Backend;
  readonly agency: string;
  readonly keys: Pick<AgencyKeys, 'identities'>;
  readonly view: LogView;
  readonly store: ReceiptStore;
  readonly clock: Clock;
}

/**
 * The entry of a lookup and its proof, checked as far as they go by themselves: whether the checkpoint, which `open` reads
 * and checks, is of the log that others see as well is for the view of the log. Throws `log-proof-invalid` with what is wrong.
 */
export function openLoggedLookup(
  open: (checkpoint: string) => TreeHead,
  { entry: encoded, index, proof, checkpoint }: ShownEntry,
  lookupId: string,
): ProvedLookup {
  return asProofFailure(() => {
    const leaf = fromBase64(encoded);
    verifyInclusion(open(checkpoint), index, leafHash(leaf, sha256), proof, sha256);
    const entry = decodeEntry(leaf);
    if (
      (entry.event !== 'lookup' && entry.event !== 'canary' && entry.event !== 'answer') ||
      entry.lookupId !== lookupId
    )
      throw new HitError('log-proof-invalid', 'the receipt is for another entry than that of the lookup');
    return { entry, leaf, index, proof, checkpoint };
  });
}

/** Checks what a gateway hands over with an opened lookup, before anything is asked. */
export class Receipts {
  readonly #deps: ReceiptDeps;

  constructor(deps: ReceiptDeps) {
    this.#deps = deps;
  }

  /**
   * Checks that the log holds the lookup exactly as this agency signed it, and keeps the receipt, durably: not of
   * canaries, which are about nobody. Throws `log-proof-invalid`, `log-inconsistent` or `storage-failed`; then nothing
   * may be asked.
   */
  async accept(opened: LookupOpened, sent: SentRequest, event: 'lookup' | 'canary'): Promise<void> {
    const { view, store, clock } = this.#deps;
    const { entry, receipt } = opened.logged;
    const shown = asProofFailure(() => ({ entry, ...parseReceipt(receipt) }));
    const proved = openLoggedLookup((note) => view.open(note), shown, opened.lookupId);
    asProofFailure(() => this.#checkOwn(proved.entry, sent, event));
    if (event === 'lookup')
      await store.keep({
        lookupId: opened.lookupId,
        at: clock(),
        leaf: proved.leaf,
        receipt,
      });
    await view.seenCheckpoint(proved.checkpoint, 'receipt');
  }

  #checkOwn(entry: ProvedLookup['entry'], sent: SentRequest, event: 'lookup' | 'canary'): void {
    const { backend, agency, keys } = this.#deps;
    const refuse = (what: string): HitError =>
      new HitError('log-proof-invalid', `the log has the lookup otherwise than it was asked: ${what}`);
    if (entry.event === 'answer' || entry.event !== event) throw refuse('as another event');
    if (entry.agency !== agency) throw refuse('as that of another agency');
    const body = utf8ToBytes(entry.body);
    if (!constantTimeEqual(body, sent.body)) throw refuse('with another content');
    const base = decodeBase64(entry.evidence.base);
    if (!constantTimeEqual(base, sent.base)) throw refuse('with another signed request');
    const signature = decodeBase64(entry.evidence.signature);
    const logged = { base, signature, body };
    // The keys may have changed since it was sent.
    const mine = keys.identities.find(({ identityKey }) =>
      backend.signatures.verify(identityKey, base, signature),
    );
    if (mine === undefined) throw refuse('with another signature');
    const { created } = checkLoggedRequest(backend, mine.identityKey, agency, logged);
    if (entry.at < created * 1000 - LIMITS.clockSkewMs) throw refuse('back-dated');
  }
}

/** Whatever is wrong with what should prove something: it proves nothing. */
function asProofFailure<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof HitError) || cause.code === 'log-proof-invalid') throw cause;
    throw new HitError(
      'log-proof-invalid',
      `the gateway did not prove that the lookup is in its log: ${cause.detail}`,
      {
        cause,
      },
    );
  }
}
