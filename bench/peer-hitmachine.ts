import {
  encodeBase64,
  evaluateElements,
  makeQuestion,
  prepareLookup,
  takeEvaluation,
} from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import { Asking } from './asking.ts';
import { suite } from './backends.ts';
import { inventedPerson, oneType } from './large-register.ts';
import type { Peer } from './peer.ts';
import { repeated } from './rounds.ts';

/** Hitmachine itself: one person by one token, without a proof of the gateway's key, which the others do not have. */
export async function ownPeer(size: number): Promise<Peer & { close(): Promise<void> }> {
  const asking = await Asking.make({ name: 'hitmachine holder', kind: oneType(size), persons: 1 });
  const { node } = asking;
  const types = Object.keys(node.kind.budgets);
  const [opened] = asking.lookups;
  if (opened === undefined) throw new Error('nothing is asked');
  const committed = node.committed();
  const delivery = node.delivery(opened);
  const reply = await node.answer(delivery, asking.log);
  const key = node.gateway.evaluation.secretKey;
  const bits = node.asked.tableBits['bsn'] ?? 0;
  return {
    name: 'hitmachine (ristretto255, sodium)',
    sides: [
      { side: 'holder', subject: asking.subject },
      {
        side: 'gateway',
        subject: repeated('hitmachine gateway', () => evaluateElements(suite, key, opened.prepared.elements)),
      },
      {
        side: 'asker',
        subject: repeated('hitmachine asker', (i) => {
          const persons = [inventedPerson(`stranger ${i}`, types)];
          prepareLookup(suite, persons, types, secureRandom);
          const lookup = takeEvaluation(suite, opened.prepared, opened.evaluatedElements);
          node.seal(makeQuestion(lookup, [node.asked]), opened.ticket);
          node.read(opened, delivery.question.counter, reply, committed);
        }),
      },
    ],
    requestBytes: asking.questionBytes + encodeBase64(opened.prepared.elements).length,
    responseBytes: asking.answerBytes + encodeBase64(opened.evaluatedElements).length,
    fetchedBytes: 0,
    leaks: `holder: ${bits} bits of a hash that it cannot compute by itself; gateway: who asks, why and how many; asker: the size class, and nothing but hit or no hit, which no later answer adds to`,
    close: () => node.close(),
  };
}
