/** Limits that every party enforces in its decoders, so that no message can make it work without bound. */
export const LIMITS = {
  /** Persons in one lookup: a large household. */
  persons: 32,
  /** Token types in one lookup. */
  tokenTypes: 8,
  /** Registers of one agency. */
  registersPerAgency: 32,
  /** Agencies on one roster. */
  agencies: 2_000,
  /** Elements in one evaluation for an import. */
  importBatch: 1_024,
  /** Bytes of one sealed question. */
  questionBytes: 65_536,
  /** Bytes of one sealed answer: the whole table of a register of 1,000,000, and more. */
  answerBytes: 16_777_216,
  /** Bytes of ranges in one answer; what is left is room for everything else that an answer may hold. */
  answerRanges: 16_080_896,
  /** Bytes of the receipt of a table commitment: that of the largest log, signed by the log alone, has some 3,200. */
  receiptBytes: 8_192,
  /** Bytes of a table commitment in an answer: an entry of the log, its receipt, and their lengths. */
  commitmentBytes: 65_535 + 8_192 + 8,
  /** Bytes of a register's contact in an answer: more than any contact that is allowed takes. */
  contactBytes: 8_192,
  /** Bytes of a checkpoint with a cosignature of every agency, and of a request for one. */
  checkpointBytes: 65_536,
  /** Lookups that one request asks the log about. */
  loggedLookups: 100,
  /** Bytes of a JSON body. */
  jsonBytes: 262_144,
  /** The longest that a ticket may be good for, in milliseconds. */
  ticketLifetimeMs: 120_000,
  /** How long after it was opened a lookup may be put once more without being counted, in milliseconds. */
  againMs: 900_000,
  /** How often a lookup may be put once more in a day. */
  timesAgain: 5,
  /** How far two clocks may be apart, in milliseconds. */
  clockSkewMs: 60_000,
  /** How far the number of an epoch may be above the time (milliseconds since 1970) at which it is committed to. */
  epochAheadMs: 600_000,
} as const;
