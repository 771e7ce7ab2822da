import type { CheckedSignature, ErrorCode, GatewayRule, LogEvent } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Runtime } from '../ports/runtime.ts';
import { evidenceOf } from './evidence.ts';

export type RefusedEvent = Extract<LogEvent, { code: unknown }>['event'];

/** A request that was refused. */
export interface RefusedRequest {
  readonly event: RefusedEvent;
  readonly agency: string;
  readonly code: ErrorCode;
  readonly rule: GatewayRule | undefined;
  readonly signature: CheckedSignature;
}

/** Refusals of one kind that are written down one by one; what comes more in the same minute is counted. */
const ONE_BY_ONE = 10;
const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 5_000;

/** Refusals of one kind within a minute. */
interface Minute {
  readonly from: number;
  written: number;
  /** Those that no entry tells of yet, with the latest as their evidence. */
  counted: { count: number; latest: RefusedRequest } | undefined;
}

/**
 * Writes refusals in the log. A request that is refused costs nothing against any quota, and its entry is a write to
 * stable storage that stays for years: whoever asks without end would fill the log, and slow down all others. So of one
 * agency, code and rule ten a minute have an entry each, and the rest of that minute have one together, with their
 * number. The professional is not told apart: the entry does not name one either. What is counted and not yet written
 * is lost when the process dies; a refusal gives nothing away, so it goes out even when it cannot be logged.
 */
export class RefusalLog {
  readonly #deps: { readonly auditLog: AuditLog; readonly runtime: Runtime; readonly log: OperationalLog };
  readonly #minutes = new Map<string, Minute>();

  constructor(deps: {
    readonly auditLog: AuditLog;
    readonly runtime: Runtime;
    readonly log: OperationalLog;
  }) {
    this.#deps = deps;
  }

  /** Writes a refusal down, or counts it. Never rejects. */
  async note(refused: RefusedRequest): Promise<void> {
    const { event, agency, code, rule } = refused;
    const kind = [event, agency, code, rule].join(' ');
    const now = this.#deps.runtime.now();
    let minute = this.#minutes.get(kind);
    if (minute === undefined || isOver(minute, now)) {
      const before = minute;
      minute = { from: now, written: 0, counted: undefined };
      this.#minutes.set(kind, minute);
      if (before !== undefined) await this.#writeCounted(before);
    }
    if (minute.written < ONE_BY_ONE) {
      minute.written++;
      await this.#write(refused, 1);
    } else minute.counted = { count: (minute.counted?.count ?? 0) + 1, latest: refused };
  }

  /** Writes down what was counted in minutes that are over; with `all`, in those that are not too. Never rejects. */
  async flush(all = false): Promise<void> {
    const now = this.#deps.runtime.now();
    for (const [kind, minute] of this.#minutes) {
      if (!all && !isOver(minute, now)) continue;
      this.#minutes.delete(kind);
      await this.#writeCounted(minute);
    }
  }

  async #writeCounted({ counted }: Minute): Promise<void> {
    if (counted !== undefined) await this.#write(counted.latest, counted.count);
  }

  async #write({ signature, rule, ...refused }: RefusedRequest, count: number): Promise<void> {
    const { auditLog, runtime, log } = this.#deps;
    const entry = {
      ...refused,
      ...(rule !== undefined && { rule }),
      ...(count > 1 && { count }),
      evidence: evidenceOf(signature),
    };
    await auditLog
      .append(runtime.now(), entry)
      .catch((err: unknown) => log.error('refusal-not-logged', { agency: refused.agency, err }));
  }
}

/** A clock that was set back ends a minute too. */
const isOver = ({ from }: Minute, now: number): boolean => now >= from + MINUTE_MS || now < from;

/** Writes down what was counted once its minute is over, until told to stop: then all that is left. */
export function keepWritingRefusals(refusals: RefusalLog): { stop(): Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(() => refusals.flush());
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await writing;
      await refusals.flush(true);
    },
  };
}
