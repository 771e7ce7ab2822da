import {
  cosign,
  addSignatures,
  encodeBase64,
  encodeEntry,
  parseNote,
  witnessName,
} from '@hitmachine/protocol';
import { backend, random } from '../gateway/support/fixtures.ts';
import { changed } from './operator.ts';
import { FEDERATION } from './real-log.ts';
import type { Lookup, Tampering } from './tampering.ts';
import { HOUR, at, forged, late, operate } from './tampering.ts';

/** What a gateway's operator can do to single entries. */
export const ENTRY_TAMPERINGS: readonly Tampering[] = [
  {
    kind: 'altered',
    done: "a node's answer becomes a refusal, in the database",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'answer', 0.3);
        operator.overwrite(i, changed(operator.leaves[i] as Uint8Array, { outcome: 'refused' }));
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'altered, hashes made anew',
    done: "a node's answer becomes a refusal, and all hashes follow",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'answer', 0.3);
        operator.change((leaves) => (leaves[i] = changed(leaves[i] as Uint8Array, { outcome: 'refused' })));
        return {
          expected: [
            ['hit-verify', /^entries 0 to \d+:/],
            ['earlier export', at(i)],
          ],
        };
      }),
  },
  {
    kind: 'altered, signed anew',
    done: 'the purpose of a lookup becomes another one; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'lookup');
        const { body } = operator.entries[i] as Lookup;
        operator.change(
          (leaves) =>
            (leaves[i] = changed(leaves[i] as Uint8Array, {
              body: body.replace('casusoverleg-zvh', 'jeugdbescherming'),
            })),
        );
        operator.sign();
        return {
          expected: [
            ['hit-verify', at(i)],
            ['witness', /fork/],
            ['reconciliation', /purpose/],
          ],
        };
      }),
  },
  {
    kind: 'altered, unsigned field, signed anew',
    done: 'the time that a node took, which no agency signs; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'answer', 0.3);
        operator.change((leaves) => (leaves[i] = changed(leaves[i] as Uint8Array, { milliseconds: 59_999 })));
        operator.sign();
        return {
          expected: [
            ['earlier export', at(i)],
            ['witness', /fork/],
            ['hit-verify', /cosigned by 0/],
          ],
        };
      }),
  },
  {
    kind: 'reordered',
    done: 'a lookup and an answer to it change places; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'lookup');
        const { lookupId } = operator.entries[i] as Lookup;
        const j = operator.entries.findIndex(
          (entry) => entry.event === 'answer' && entry.lookupId === lookupId,
        );
        operator.change((leaves) => {
          [leaves[i], leaves[j]] = [leaves[j] as Uint8Array, leaves[i] as Uint8Array];
        });
        operator.sign();
        return {
          expected: [
            ['hit-verify', at(i)],
            ['witness', /fork/],
          ],
        };
      }),
  },
  {
    kind: 'duplicated',
    done: "an agency's lookup is entered a second time under a new identifier; hashes and checkpoint follow",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'lookup');
        operator.change((leaves) =>
          leaves.splice(i + 1, 0, changed(leaves[i] as Uint8Array, { lookupId: encodeBase64(random(16)) })),
        );
        operator.sign();
        return {
          expected: [
            ['hit-verify', at(i + 1)],
            ['reconciliation', /missing/],
            ['witness', /fork|refused/],
          ],
        };
      }),
  },
  {
    kind: 'back-dated',
    done: 'a lookup moves an hour back in time, to where it then belongs; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const { entries } = operator;
        const i = late(operator, 'lookup', 0.9);
        const moved = entries[i] as Lookup;
        const time = Math.max(moved.at - HOUR, entries[1]?.at ?? 0);
        const to = entries.findIndex((entry) => entry.at > time);
        operator.change((leaves) => {
          const [leaf] = leaves.splice(i, 1);
          leaves.splice(to, 0, changed(leaf as Uint8Array, { at: time }));
        });
        operator.sign();
        return {
          expected: [
            ['hit-verify', at(to)],
            ['witness', /fork/],
          ],
        };
      }),
  },
  {
    kind: 'held back',
    done: "an agency's signed request is logged an hour after it was made; hashes and checkpoint follow",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.leaves.length;
        const { agency } = log.party('politie');
        const like = operator.entries[late(operator, 'lookup')] as Lookup;
        const early = { ...forged('politie', agency.seed, log.now() - HOUR, like), at: log.now() };
        operator.change((leaves) => leaves.push(encodeEntry(early)));
        operator.sign();
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'removed',
    done: 'an answer leaves the middle; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'answer', 0.3);
        operator.change((leaves) => leaves.splice(i, 1));
        operator.sign();
        return {
          expected: [
            ['earlier export', at(i)],
            ['witness', /rollback/],
          ],
        };
      }),
  },
  {
    kind: 'invented',
    done: "a lookup in an agency's name, signed with a key of the operator",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.leaves.length;
        const like = operator.entries[late(operator, 'lookup')] as Lookup;
        operator.change((leaves) => leaves.push(encodeEntry(forged('politie', random(32), log.now(), like))));
        operator.sign();
        return {
          expected: [
            ['hit-verify', at(i)],
            ['reconciliation', /missing \(politie\)/],
          ],
        };
      }),
  },
  {
    kind: 'denied',
    done: 'a lookup and its answers leave the log; hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = late(operator, 'lookup', 0.3);
        const { lookupId } = operator.entries[i] as Lookup;
        const keep = operator.entries.map((entry) => !('lookupId' in entry) || entry.lookupId !== lookupId);
        operator.rewrite(operator.leaves.filter((_, n) => keep[n]));
        operator.sign();
        return {
          receipt: copy.receiptOf(lookupId),
          expected: [
            ['receipt holder', at(i)],
            ['earlier export', at(i)],
            ['reconciliation', new RegExp(`lookup ${lookupId}: missing \\(gateway\\)`)],
            ['witness', /rollback/],
          ],
        };
      }),
  },
  {
    kind: 'key of a removed agency',
    done: 'a lookup that an agency signs after it was taken off',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.leaves.length;
        const like = operator.entries[late(operator, 'lookup')] as Lookup;
        const { seed } = log.party('reclassering').agency;
        operator.change((leaves) => leaves.push(encodeEntry(forged('reclassering', seed, log.now(), like))));
        operator.sign();
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'post-dated',
    done: 'the last entry gets a time of tomorrow; hashes follow, and the checkpoint that partners cosigned is gone',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.leaves.length - 1;
        operator.change(
          (leaves) => (leaves[i] = changed(leaves[i] as Uint8Array, { at: log.now() + 24 * HOUR })),
        );
        const note = operator.sign();
        const line = cosign(
          backend,
          log.party('ggz').agency.seed,
          witnessName(FEDERATION, 'ggz'),
          parseNote(note),
          Math.floor(log.now() / 1000),
        );
        operator.publish(i + 1, addSignatures(note, [line]));
        return {
          expected: [
            ['hit-verify', at(i)],
            ['witness', /fork/],
          ],
        };
      }),
  },
];
