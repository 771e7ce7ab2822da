import type { Random } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import type { CookieSeal } from '@hitmachine/web';
import { z } from 'zod';
import { DESK_MS } from './desk-lookups.ts';

const KEY_BYTES = 16;
const PURPOSE = 'hitmachine-v1 desk form';

const keySchema = z.strictObject({ key: z.string(), subject: z.string(), at: z.number() });

/**
 * The key of each form that is given out: good for one question of one person, for as long as the question would be
 * remembered. An older one may have been used already, and the memory of it be gone, so it is not taken. Where replicas
 * share what was sent, that outlives a process, and a form of any of them may be sent to any.
 */
export class FormKeys {
  readonly #seal: CookieSeal;
  readonly #runtime: { now(): number; readonly random: Random };
  readonly #since: number;

  constructor(
    seal: CookieSeal,
    runtime: { now(): number; readonly random: Random },
    { isShared = false } = {},
  ) {
    this.#seal = seal;
    this.#runtime = runtime;
    this.#since = isShared ? 0 : runtime.now();
  }

  make(subject: string): string {
    const key = encodeBase64(this.#runtime.random(KEY_BYTES));
    return this.#seal.seal(PURPOSE, { key, subject, at: this.#runtime.now() });
  }

  /** The key in a form that was sent; undefined for one that is not this person's, or too old. */
  open(sealed: string, subject: string): string | undefined {
    const opened = this.#seal.open(PURPOSE, keySchema, sealed);
    if (opened === undefined || opened.subject !== subject) return undefined;
    const fresh = opened.at >= this.#since && opened.at > this.#runtime.now() - DESK_MS;
    return fresh ? opened.key : undefined;
  }
}
