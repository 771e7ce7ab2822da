import type { Review, SignalReport } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';

/** Reports that wait for the gateway; what is older stands in the agency's own log all the same. */
const MOST_WAITING = 1_000;

type Notice =
  | { readonly type: 'signal'; readonly report: SignalReport }
  | { readonly type: 'review'; readonly report: Review };

/** Tells the gateway, for its auditors, what this agency alone can see. What cannot be told now waits for the next round. */
export class GatewayNotices {
  readonly #gateway: Pick<GatewayClient, 'reportSignal' | 'reportReview'>;
  readonly #log: OperationalLog;
  #waiting: Notice[] = [];
  #sending: Promise<void> | undefined;

  constructor(gateway: Pick<GatewayClient, 'reportSignal' | 'reportReview'>, log: OperationalLog) {
    this.#gateway = gateway;
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a notice in and tries to send what waits. Never throws. */
  add(notice: Notice): void {
    this.#waiting = [...this.#waiting, notice].slice(-MOST_WAITING);
    void this.send();
  }

  /** Sends what waits, in order, until one does not get through. One at a time. Never rejects. */
  send(): Promise<void> {
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        if (next.type === 'signal') await this.#gateway.reportSignal(next.report);
        else await this.#gateway.reportReview(next.report);
      } catch (error) {
        const code = error instanceof HitError ? error.code : 'internal';
        this.#log.warn({ event: 'notice-not-sent', notice: next.type, code });
        // Whoever says no will say no again.
        if (!MAY_PASS.has(code)) this.#waiting.shift();
        return;
      }
      this.#waiting.shift();
    }
  }
}

const MAY_PASS: ReadonlySet<string> = new Set([
  'gateway-unreachable',
  'not-ready',
  'storage-failed',
  'quota-exceeded',
]);
