/** How often one node may be put a question within a lookup: a second time for a renewed session. */
export const QUESTIONS_PER_NODE = 2;

/** A lookup that stands in the audit log and whose questions may come. */
export interface OpenLookup {
  readonly lookupId: string;
  readonly agency: string;
  /** Encoded, by node. */
  readonly tickets: ReadonlyMap<string, Uint8Array>;
  readonly evidence: Uint8Array;
  readonly evidenceSignature: Uint8Array;
  /** SHA-256 of the capability that opens it; the capability itself is kept nowhere. */
  readonly capabilityHash: Uint8Array;
  /** Milliseconds since 1970; all lookups live equally long. */
  readonly expiresAt: number;
}

/**
 * Lookups between their opening and the expiry of their tickets, shared by the replicas of a gateway where there are
 * several: the questions may come to another replica than the one that opened the lookup.
 *
 * Trusted for: a lookup that comes back is the one that was kept under this identifier, in every byte, and of all claims
 * of all replicas together no node is granted more than {@link QUESTIONS_PER_NODE} in a lookup, as long as the store
 * keeps its data. Not trusted for keeping them: a lookup that is lost is opened anew, and a node takes no question twice
 * whatever is claimed here.
 *
 * - Whole: a claim counts all nodes or none, in one step that no other claim comes in between.
 * - Closed: rejects with `storage-failed` within two seconds when the store cannot be reached.
 */
export interface OpenLookups {
  /** Keeps a lookup until it expires. `now`: milliseconds since 1970. */
  keep(lookup: OpenLookup, now: number): Promise<void>;
  /** The lookup, or undefined when there is none or it has expired. */
  find(lookupId: string, now: number): Promise<OpenLookup | undefined>;
  /**
   * Claims a question to each of these nodes, of which one may stand here twice. Gives `gone` when the lookup is no
   * longer there, or the place of the first that was asked too often, with nothing claimed.
   */
  claim(lookupId: string, nodes: readonly string[]): Promise<'claimed' | 'gone' | { readonly place: number }>;
}
