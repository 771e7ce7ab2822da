import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AddCheckpointResponse, TreeHead, Witness } from '@hitmachine/protocol';
import {
  addCheckpoint,
  addCheckpointRequest,
  addSignatures,
  cosignaturesOn,
  logOrigin,
  proveConsistency,
  signCheckpoint,
  witnessName,
} from '@hitmachine/protocol';
import type { MemoryLog } from './log-support.ts';
import { LOG_KEY, LOG_SEED, ORIGIN, checkpointOf, headOf, leavesOf, logOf } from './log-support.ts';
import { BACKENDS, seeded, sodium } from './support.ts';

const NOW = 1_767_225_600;
const seed = seeded('the witness')(32);
const witness: Witness = {
  backend: sodium,
  origin: ORIGIN,
  logKey: LOG_KEY.publicKey,
  name: witnessName('waalstad', 'politie'),
  seed,
};
const key = { name: witness.name, publicKey: sodium.signatures.publicKey(seed) };

const log = logOf(leavesOf(40));
/** The same log up to entry 10, and another from there. */
const fork = logOf([...leavesOf(10), ...leavesOf(30, 'another')]);

/** What an honest log sends to bring a witness from one size to another. */
async function request(from: number, to: number, of: MemoryLog = log): Promise<string> {
  return addCheckpointRequest(from, await proveConsistency(of.hashes, from, to), checkpointOf(of, to));
}
const at = (size: number): TreeHead => headOf(log, size);
const ask = (state: TreeHead | undefined, body: string): AddCheckpointResponse =>
  addCheckpoint(witness, state, body, NOW);

/** What all answers but 200 have in common: nothing is signed and nothing remembered. */
function expectRefused(answer: AddCheckpointResponse, status: number, alarm?: string): void {
  expect({ status: answer.status, alarm: answer.alarm, state: answer.state }).toEqual({
    status,
    alarm,
    state: undefined,
  });
  expect(answer.body).not.toContain('\u2014');
  expect(answer.body.endsWith('\n')).toBe(true);
}

describe('a witness', () => {
  test.each(BACKENDS)(
    'cosigns the first checkpoint that it sees, and each that goes on from it, on $name',
    async (backend) => {
      let state: TreeHead | undefined;
      for (const size of [0, 1, 7, 8, 8, 30, 40]) {
        const answer = addCheckpoint(
          { ...witness, backend },
          state,
          await request(state?.size ?? 0, size),
          NOW,
        );
        expect(answer).toMatchObject({ status: 200, state: at(size) });
        expect(answer.alarm).toBeUndefined();
        const note = addSignatures(checkpointOf(log, size), [answer.body]);
        expect(cosignaturesOn(backend, note, [key])).toEqual([{ name: key.name, at: NOW }]);
        state = answer.state;
      }
    },
  );

  test('starts at any size, without a proof', async () => {
    expect(ask(undefined, await request(0, 23))).toMatchObject({ status: 200, state: at(23) });
    expect(ask({ size: 0, root: at(0).root }, await request(0, 23)).status).toBe(200);
  });

  test('says where it is when the log thinks otherwise (409)', async () => {
    for (const body of [await request(0, 30), await request(7, 30), await request(12, 30)]) {
      const answer = ask(at(8), body);
      expectRefused(answer, 409);
      expect(answer.body).toBe('8\n');
    }
    expect(ask(undefined, await request(7, 30)).body).toBe('0\n');
  });

  test('gives the same answer to the same request, until it has gone on', async () => {
    const again = await request(8, 8);
    expect(ask(at(8), again)).toMatchObject({ status: 200, state: at(8) });
    const replayed = await request(8, 20);
    const first = ask(at(8), replayed);
    expect(first.status).toBe(200);
    const second = ask(first.state, replayed);
    expectRefused(second, 409);
    expect(second.body).toBe('20\n');
  });

  test('does not sign a fork: the same size with another root (422)', async () => {
    expectRefused(ask(at(20), addCheckpointRequest(20, [], checkpointOf(fork, 20))), 422, 'fork');
    // Also where the log does not know how far the witness is: two signed roots of one size are proof enough.
    expectRefused(ask(at(20), await request(0, 20, fork)), 409, 'fork');
  });

  test('does not sign a fork: more entries, but not after those it saw (422)', async () => {
    expectRefused(ask(at(20), await request(20, 30, fork)), 422, 'fork');
    expectRefused(ask(at(20), addCheckpointRequest(20, [], checkpointOf(log, 30))), 422, 'fork');
    // Up to entry 10 the two are one.
    expect(ask(at(10), await request(10, 30, fork)).status).toBe(200);
  });

  test('sounds the alarm when the log has become shorter', async () => {
    const answer = ask(at(20), await request(8, 10));
    expectRefused(answer, 409, 'rollback');
    expect(answer.body).toBe('20\n');
    expectRefused(ask(at(20), await request(0, 0)), 409, 'rollback');
    // And where the log even says how far the witness was.
    expectRefused(ask(at(20), addCheckpointRequest(20, [], checkpointOf(log, 10))), 400, 'rollback');
  });

  test('of a rolled-back log that grew again sees the fork', async () => {
    const regrown = logOf([...leavesOf(15), ...leavesOf(20, 'after the restore')]);
    expectRefused(ask(at(20), await request(20, 35, regrown)), 422, 'fork');
  });

  test('does not sign what has a proof where none belongs (422)', () => {
    expectRefused(ask(undefined, addCheckpointRequest(0, [at(1).root], checkpointOf(log, 8))), 422);
    expectRefused(ask(at(8), addCheckpointRequest(8, [at(1).root], checkpointOf(log, 8))), 422);
  });

  test('does not sign another root of nothing (422)', () => {
    const empty = signCheckpoint(sodium, LOG_SEED, ORIGIN, { size: 0, root: at(1).root });
    expectRefused(ask(undefined, addCheckpointRequest(0, [], empty)), 422);
  });

  test('refuses an old size above the new one (400)', () => {
    expectRefused(ask(at(8), addCheckpointRequest(12, [], checkpointOf(log, 8))), 400);
  });

  test('does not know other logs (404), nor other keys (403)', async () => {
    const other = signCheckpoint(sodium, LOG_SEED, logOrigin('elders'), at(8));
    expectRefused(ask(undefined, addCheckpointRequest(0, [], other)), 404);
    const forged = signCheckpoint(sodium, seed, ORIGIN, at(8));
    expectRefused(ask(undefined, addCheckpointRequest(0, [], forged)), 403);
    // Nobody but the log can set off an alarm.
    expectRefused(ask(at(20), addCheckpointRequest(0, [], forged)), 403);
    const body = await request(0, 20, fork);
    expectRefused(ask(at(20), body.replace(/.{12}\n$/, 'AAAAAAAAAAAA\n')), 403);
  });

  test.each([
    ['nothing', ''],
    ['no old size', `\n${checkpointOf(log, 8)}`],
    [
      'an old size with a zero in front',
      addCheckpointRequest(0, [], checkpointOf(log, 8)).replace('old 0', 'old 00'),
    ],
    ['an old size below zero', addCheckpointRequest(0, [], checkpointOf(log, 8)).replace('old 0', 'old -1')],
    ['a proof of other lengths', addCheckpointRequest(0, [at(1).root.slice(1)], checkpointOf(log, 8))],
    [
      '64 hashes',
      addCheckpointRequest(
        0,
        Array.from({ length: 64 }, () => at(1).root),
        checkpointOf(log, 8),
      ),
    ],
    ['no checkpoint', 'old 0\n\n'],
    ['a checkpoint without signatures', 'old 0\n\norigin\n1\nAAAA\n'],
  ])('refuses %s (400)', (_, body) => {
    expectRefused(ask(undefined, body), 400);
    expectRefused(ask(at(8), body), 400);
  });

  test('never throws, and never signs what it was not sent', async () => {
    const good = await request(8, 30);
    fc.assert(
      fc.property(
        fc.nat(good.length),
        fc.nat(3),
        fc.string({ unit: 'binary', maxLength: 3 }),
        (from, length, added) => {
          const body = good.slice(0, from) + added + good.slice(from + length);
          fc.pre(body !== good);
          expect(ask(at(8), body).status).not.toBe(200);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('signs one history only, whatever a lying log sends, in whatever order', async () => {
    const requests = await Promise.all(
      [log, fork].flatMap((of) =>
        [0, 5, 10, 11, 20, 33].flatMap((from) =>
          [5, 10, 11, 20, 33, 40]
            .filter((to) => to >= from)
            .map(async (to) => ({ of, to, body: await request(from, to, of) })),
        ),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...requests), { maxLength: 40 }), (sent) => {
        let state: TreeHead | undefined;
        const signed: { of: MemoryLog; to: number }[] = [];
        for (const { of, to, body } of sent) {
          const answer = ask(state, body);
          if (answer.status !== 200) continue;
          expect(answer.state?.size ?? -1).toBeGreaterThanOrEqual(state?.size ?? 0);
          state = answer.state;
          signed.push({ of, to });
        }
        // Beyond entry 10 the two logs differ: a witness signs that of one of them.
        expect(new Set(signed.filter(({ to }) => to > 10).map(({ of }) => of)).size).toBeLessThanOrEqual(1);
      }),
    );
  });
});
