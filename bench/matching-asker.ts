import { encodeBase64, makeQuestion, prepareLookup, takeEvaluation } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import type { OpenedLookup } from './answering-node.ts';
import { AnsweringNode } from './answering-node.ts';
import { suite } from './backends.ts';
import { asShipped, inventedPerson } from './large-register.ts';
import type { Effort, Subject } from './rounds.ts';
import { measureInTurns, repeated } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** Microseconds of processor time that the asker's steps take, by what is done: three token types, one person. */
export type AskerFigures = Readonly<Record<string, Spread>>;

/** Measures an asker of a register with so many clients, as federations are set up. */
export async function measureAsker(effort: Effort, clients: number): Promise<AskerFigures> {
  const node = await AnsweringNode.make(asShipped(clients));
  try {
    const types = Object.keys(node.kind.budgets);
    const opened = await node.open(1);
    const { prepared, evaluatedElements, proof, lookup, ticket } = opened;
    const verification = { gatewayKey: node.gateway.evaluation.publicKey, proof };
    const persons = [inventedPerson(encodeBase64(secureRandom(12)), types)];
    const subjects: Subject[] = [
      repeated('blinding one person', () => prepareLookup(suite, persons, types, secureRandom)),
      repeated('unblinding what the gateway evaluated', () =>
        takeEvaluation(suite, prepared, evaluatedElements),
      ),
      repeated('the same, with its proof checked first', () =>
        takeEvaluation(suite, prepared, evaluatedElements, verification),
      ),
      repeated('a question: made, encoded, sealed', () =>
        node.seal(makeQuestion(lookup, [node.asked]), ticket),
      ),
      await reading(node, opened),
    ];
    const costs = await measureInTurns(subjects, effort);
    return Object.fromEntries(subjects.map(({ name }) => [name, spreadOf(costs(name))]));
  } finally {
    await node.close();
  }
}

/** Answers are opened again and again: the session does not forbid that to the asker. */
async function reading(node: AnsweringNode, opened: OpenedLookup): Promise<Subject> {
  const committed = node.committed();
  const delivery = node.delivery(opened);
  const reply = await node.answer(delivery, { ...node.node.agencyLog, appendAnswered: async () => 'logged' });
  return repeated('an answer: opened, held against the commitment, unblinded, looked through', () =>
    node.read(opened, delivery.question.counter, reply, committed),
  );
}
