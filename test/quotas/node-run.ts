import type { Ticket } from '@hitmachine/protocol';
import { openQuestion, sealQuestion, ticketCodec } from '@hitmachine/protocol';
import type { AnsweredDetail } from '../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import type { Delivery } from '../node-agent/support/gateway.ts';
import { StandInGateway, backend } from '../node-agent/support/gateway.ts';
import { TestNode, numbers } from '../node-agent/support/node.ts';
import { QUOTA } from './gateways.ts';
import type { Result, Sizes } from './runs.ts';
import { MIXED, ONES } from './runs.ts';

const NODE = 'politie';
const NO_LIMIT = { agency: { day: 1_000_000_000 }, professional: { day: 1_000_000_000 } };

/** A question as the node gets it, which can be put again under another ticket and number. */
interface Pattern {
  readonly delivery: Delivery;
  readonly ticket: Ticket;
  readonly plaintext: Uint8Array;
}

/**
 * A node alone, behind a gateway that lets everything through: by the policy, whose limits are a billion, and because it
 * counts nothing. The agent's real answering path, sessions, seals and log, on a real SQLite file.
 */
export async function nodeRuns({ many, some }: Sizes, tell: (result: Result) => void): Promise<void> {
  const wide = { what: 'a node alone', requests: many, sizes: ONES, expected: { exactly: QUOTA } };
  const mixed = {
    what: 'a node alone, lookups of 1 and 4',
    requests: some,
    sizes: MIXED,
    expected: { atMost: QUOTA },
  };
  for (const run of [wide, mixed]) tell(await nodeRun(run));
}

async function nodeRun({
  what,
  requests,
  sizes,
  expected,
}: Pick<Result, 'what' | 'requests' | 'expected'> & { readonly sizes: readonly number[] }): Promise<Result> {
  const gateway = new StandInGateway();
  gateway.changePolicy({ quotas: NO_LIMIT });
  const node = await TestNode.join(gateway, NODE, { quota: QUOTA });
  const asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  try {
    const clients = numbers(4, 150_000_000);
    await node.import(clients);
    await node.upkeep();
    const patterns = new Map<number, Pattern>();
    for (const persons of new Set(sizes))
      patterns.set(persons, await patternOf(gateway, asker, clients.slice(0, persons)));
    const before = await personsLogged(node);
    const began = performance.now();
    const refusals = new Map<string, number>();
    let answered = 0;
    for (let i = 0; i < requests; i++) {
      const persons = sizes[i % sizes.length] as number;
      const reply = await node.answer(await again(asker, patterns.get(persons) as Pattern, i));
      if (reply.outcome === 'answered') answered += persons;
      else refusals.set(reply.outcome, (refusals.get(reply.outcome) ?? 0) + 1);
    }
    const seconds = (performance.now() - began) / 1_000;
    // What was asked to learn the pattern counts too.
    const logged = await personsLogged(node);
    return { what, requests, seconds, answered: answered + before, logged, expected, refusals };
  } finally {
    await node.close();
    await asker.close();
  }
}

/** Asks once, as agents do, and keeps what the node got. */
async function patternOf(
  gateway: StandInGateway,
  asker: TestNode,
  persons: readonly string[],
): Promise<Pattern> {
  await asker.ask(persons);
  const delivery = gateway.deliveries.at(-1) as Delivery;
  const { outgoing } = await asker.outgoing.next(NODE);
  const { counter, ciphertext } = delivery.question;
  const plaintext = openQuestion(backend, outgoing.session, counter, delivery.ticket, ciphertext);
  return { delivery, ticket: ticketCodec.decode(delivery.ticket), plaintext };
}

/** The same question in another lookup: a ticket and a seal of its own. */
async function again(
  asker: TestNode,
  { delivery, ticket, plaintext }: Pattern,
  place: number,
): Promise<Delivery> {
  const encoded = ticketCodec.encode({ ...ticket, lookupId: secureRandom(16) });
  const { outgoing, counter } = await asker.outgoing.next(NODE);
  const ciphertext = sealQuestion(backend, outgoing.session, counter, encoded, plaintext);
  return {
    ...delivery,
    delivery: place,
    ticket: encoded,
    question: { ...delivery.question, counter, ciphertext },
  };
}

/** Persons that the node's own log says it answered about. */
async function personsLogged(node: TestNode): Promise<number> {
  let persons = 0;
  for (let after = 0; ;) {
    const events = await node.agencyLog.read(after, 1_000);
    if (events.length === 0) return persons;
    for (const { event, detail } of events)
      if (event === 'answered') persons += (detail as AnsweredDetail).persons;
    after = events.at(-1)?.sequence ?? after;
  }
}
