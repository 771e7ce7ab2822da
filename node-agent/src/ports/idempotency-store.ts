/** What stands under a key: the request that it came with first, and when. */
export interface KeptRequest {
  readonly request: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Remembers which keys of requests were used, durably, so that a request that is sent again after a crash asks nothing a
 * second time. Keys and requests come as pseudonyms under the agency's own key.
 */
export interface IdempotencyStore {
  /** Enters a key, unless it stands already: then gives what does. Durable and atomic, also between processes. */
  claim(key: string, kept: KeptRequest): Promise<KeptRequest | undefined>;
  /** Forgets a key: what it came with was refused before anything was asked. */
  release(key: string): Promise<void>;
  /** Forgets keys from before this moment, in milliseconds since 1970. */
  forgetBefore(moment: number): Promise<void>;
}
