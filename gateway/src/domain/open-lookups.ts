import { HitError, constantTimeEqual } from '@hitmachine/protocol';
import type { Random } from '@hitmachine/protocol';
import { sha256 } from './sha256.ts';

/** How often one node may be put a question within a lookup: a second time for a renewed session. */
const QUESTIONS_PER_NODE = 2;

/** A lookup that stands in the audit log and whose questions may come. */
export interface OpenLookup {
  readonly lookupId: string;
  readonly agency: string;
  /** Encoded, by node. */
  readonly tickets: ReadonlyMap<string, Uint8Array>;
  readonly evidence: Uint8Array;
  readonly evidenceSignature: Uint8Array;
  /** Milliseconds since 1970; all lookups live equally long. */
  readonly expiresAt: number;
}

interface Entry {
  readonly lookup: OpenLookup;
  readonly capabilityHash: Uint8Array;
  readonly asked: Map<string, number>;
}

/** Lookups between their opening and the expiry of their tickets; in memory alone, so a restart ends them. */
export class OpenLookups {
  readonly #entries = new Map<string, Entry>();

  /** Adds a lookup and returns its capability, of which only a hash is kept. */
  add(lookup: OpenLookup, random: Random, now: number): Uint8Array {
    this.#forgetExpired(now);
    const capability = random(32);
    this.#entries.set(lookup.lookupId, { lookup, capabilityHash: sha256(capability), asked: new Map() });
    return capability;
  }

  /** The lookup that a capability opens. Throws `unknown-lookup` or `unauthorised`. */
  get(lookupId: string, capability: Uint8Array | undefined, now: number): OpenLookup {
    const entry = this.#entries.get(lookupId);
    if (entry === undefined || entry.lookup.expiresAt < now)
      throw new HitError('unknown-lookup', 'there is no such lookup, or it has expired: open a new one');
    if (capability === undefined || !constantTimeEqual(sha256(capability), entry.capabilityHash))
      throw new HitError(
        'unauthorised',
        'the Authorization header does not hold the capability of this lookup',
      );
    return entry.lookup;
  }

  /**
   * Claims the questions to these nodes: all of them or none. Throws `ticket-invalid`, naming the first question
   * whose node has no ticket in this lookup or was asked twice already.
   */
  claim(lookupId: string, nodes: readonly string[]): void {
    const entry = this.#entries.get(lookupId);
    if (entry === undefined) throw new HitError('unknown-lookup');
    const asked = new Map(entry.asked);
    nodes.forEach((node, i) => {
      const field = `questions.${i}.node`;
      const refuse = (detail: string): HitError =>
        new HitError('ticket-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
      if (!entry.lookup.tickets.has(node)) throw refuse('this lookup has no ticket for this agency');
      const times = (asked.get(node) ?? 0) + 1;
      if (times > QUESTIONS_PER_NODE) throw refuse('this agency was asked twice already: open a new lookup');
      asked.set(node, times);
    });
    for (const [node, times] of asked) entry.asked.set(node, times);
  }

  #forgetExpired(now: number): void {
    // Lookups live equally long, so the oldest come first.
    for (const [lookupId, { lookup }] of this.#entries) {
      if (lookup.expiresAt >= now) return;
      this.#entries.delete(lookupId);
    }
  }
}
