/**
 * Openings of the sessions in which this agency is asked, for the other replicas of its agent. What is kept is the
 * message that the asker sent, and never the keys that follow from it: whoever has it needs the session key of this
 * agency as well, as whoever recorded it on its way. Everything throws `storage-failed`.
 */
export interface SessionOpenings {
  /** The opening of a session that has not ended by `now`. */
  find(asker: string, sessionId: Uint8Array, now: number): Promise<Uint8Array | undefined>;
  /**
   * Keeps an opening until `expiresAt`; of one asker the latest 32. Other replicas find it once this resolves. A session
   * that is kept already stays as it is.
   */
  keep(
    session: { readonly asker: string; readonly id: Uint8Array; readonly expiresAt: number },
    opening: Uint8Array,
    now: number,
  ): Promise<void>;
}
