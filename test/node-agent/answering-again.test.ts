import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ticket } from '@hitmachine/protocol';
import { openQuestion, sealQuestion, ticketCodec } from '@hitmachine/protocol';
import type { Delivery } from './support/gateway.ts';
import { PURPOSE, StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';
import { purposeFile } from './support/policy.ts';

const [known] = numbers(1, 150_000_000) as [string];

describe('a node with replicas, which may answer again what one of them had logged', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeAll(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie', { hasReplicas: true });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
  });

  afterAll(async () => {
    await police.close();
    await asker.close();
  });

  it('does so under the ticket that is in its log, not under another one for the same lookup', async () => {
    await asker.ask([known]);
    const delivery = gateway.deliveries.at(-1)!;
    const { outgoing } = await asker.outgoing.next('politie');
    const { counter, ciphertext } = delivery.question;
    const question = openQuestion(backend, outgoing.session, counter, delivery.ticket, ciphertext);
    /** The same question, as an asker seals it who works with the gateway. */
    const under = async (change: Partial<Ticket>): Promise<Delivery> => {
      const ticket = ticketCodec.encode({ ...ticketCodec.decode(delivery.ticket), ...change });
      const next = await asker.outgoing.next('politie');
      const sealed = sealQuestion(backend, next.outgoing.session, next.counter, ticket, question);
      return {
        ...delivery,
        ticket,
        question: { ...delivery.question, counter: next.counter, ciphertext: sealed },
      };
    };
    expect((await police.answer(await under({}))).outcome).toBe('answered');
    expect(police.log.lines.at(-1)).toMatchObject({ event: 'answered-again' });
    const { issuedAt } = ticketCodec.decode(delivery.ticket);
    for (const change of [{ purpose: 'jeugdbescherming' }, { issuedAt: issuedAt + 1 }]) {
      // Both purposes are allowed: nothing but the log is in the way.
      gateway.changePolicy({ purposes: [purposeFile(PURPOSE), purposeFile('jeugdbescherming')] });
      await police.roster.accept(gateway.sign());
      expect((await police.answer(await under(change))).outcome).toBe('rejected');
      expect(police.log.lines.at(-1)).toMatchObject({ event: 'question-rejected', code: 'replayed' });
    }
    const logged = await police.agencyLog.read(0, 100);
    expect(logged.filter(({ event }) => event === 'answered')).toHaveLength(1);
  });
});
