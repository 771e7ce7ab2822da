import type { AddCheckpointResponse, Backend, LogKey } from '@hitmachine/protocol';
import { HitError, addCheckpoint, parseAddCheckpoint, utf8ToBytes, witnessName } from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import type { Clock } from '../../ports/clock.ts';
import type { LogStore } from '../../ports/log-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { StateStore } from '../../ports/state-store.ts';
import type { AgencyKeys } from '../keys.ts';
import type { LogView, Verdict } from './log-view.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

interface WitnessDeps {
  readonly backend: Backend;
  readonly keys: Pick<AgencyKeys, 'identitySeed'>;
  readonly agency: string;
  readonly roster: RosterKeeper;
  readonly logKey: () => LogKey;
  readonly view: LogView;
  readonly store: LogStore;
  readonly state: Pick<StateStore, 'restored' | 'lostEntries' | 'stoppedAnswering'>;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/** Status and body as C2SP tlog-witness has them; 503 stands for "not now". */
export interface WitnessAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

const answer = (status: number, body: string): WitnessAnswer => ({ status, body: utf8ToBytes(body) });

/**
 * This agent as a witness of the gateway's log (C2SP tlog-witness): signs for a checkpoint when it is consistent with
 * what it signed for before and with everything else that this agency saw. One request at a time, and what is signed
 * for is stored before the signature goes out: a witness that forgets could be shown two histories.
 */
export class Witness {
  readonly #deps: WitnessDeps;
  readonly #turns = new InTurn();

  constructor(deps: WitnessDeps) {
    this.#deps = deps;
  }

  /** Answers a request to add a checkpoint. Never rejects. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer> {
    return this.#turns.run(() => this.#answer(body));
  }

  async #answer(body: Uint8Array): Promise<WitnessAnswer> {
    try {
      return await this.#decide(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch (error) {
      if (error instanceof TypeError) return answer(400, 'the request is not UTF-8\n');
      // What cannot be stored is not signed for.
      const code = error instanceof HitError ? error.code : 'internal';
      this.#deps.log.error({ event: 'checkpoint-not-cosigned', code, reason: (error as Error).message });
      return answer(503, 'this witness cannot store what it signs for\n');
    }
  }

  async #decide(request: string): Promise<WitnessAnswer> {
    const { backend, keys, agency, roster, logKey, store, view, clock } = this.#deps;
    const { origin, publicKey } = logKey();
    const witness = {
      backend,
      origin,
      logKey: publicKey,
      name: witnessName(roster.roster.federation, agency),
      seed: keys.identitySeed.reveal(),
    };
    if (await mayHaveForgotten(this.#deps.state))
      return answer(
        503,
        'this witness was put back from a copy, and waits until its administrator goes on\n',
      );
    // Others rely on it that what is signed for here fits all that this agency saw.
    if (view.owing !== undefined) return withheld('unknown');
    const { cosigned, newest } = await store.heads();
    const response = addCheckpoint(witness, cosigned, request, Math.floor(clock() / 1000));
    if (response.state === undefined) return this.#refused(response, request);
    const head = { ...response.state, note: parseAddCheckpoint(request).checkpoint };
    // The proof in the request is from what was cosigned; of what else was seen the log must show it too.
    const verdict = await view.relate(head, { provedFrom: cosigned });
    if (verdict !== 'consistent') return withheld(verdict);
    // `relate` has made it the newest head when it is the larger one.
    const stored = await store.advance(view.newest ?? newest, { cosigned: head });
    return stored ? answer(200, response.body) : withheld('unknown');
  }

  /** A refusal whose request holds a contradiction that the gateway signed: whether it is one is for the view to find. */
  async #refused(response: AddCheckpointResponse, request: string): Promise<WitnessAnswer> {
    const { view, log } = this.#deps;
    if (response.alarm !== undefined)
      await view.relate(view.open(parseAddCheckpoint(request).checkpoint), { anew: true });
    // 409 is how a gateway finds out where this witness is; the others should not come up.
    if (response.status !== 409)
      log.warn({ event: 'checkpoint-refused', status: response.status, reason: response.body.trim() });
    return answer(response.status, response.body);
  }
}

/**
 * Whether this database is a copy of before, and nobody has said yet that the agent goes on: what was signed for since
 * then is not in it, and another history could follow on what is.
 */
async function mayHaveForgotten(state: WitnessDeps['state']): Promise<boolean> {
  const isCopy = (await state.restored()) !== undefined || (await state.lostEntries()) !== undefined;
  return isCopy && (await state.stoppedAnswering()) !== undefined;
}

function withheld(verdict: Exclude<Verdict, 'consistent'>): WitnessAnswer {
  return verdict === 'contradicts'
    ? answer(422, 'this witness saw a log that contradicts this one, and signs for nothing\n')
    : answer(503, 'this witness saw other checkpoints, and was not shown that they are of this log\n');
}
