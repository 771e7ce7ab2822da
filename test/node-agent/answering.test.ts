import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ticket } from '@hitmachine/protocol';
import { CANARY_PURPOSE, CANARY_ROLE, encodeBase64, openSession, ticketCodec } from '@hitmachine/protocol';
import { ask } from '../../node-agent/src/domain/asking/ask.ts';
import {
  addressedRegisters,
  personSchema,
  tokensOfPersons,
} from '../../node-agent/src/domain/asking/lookup-input.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import type { Delivery } from './support/gateway.ts';
import { StandInGateway, T0, backend } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';
import { purposeFile } from './support/policy.ts';

const [known, stranger] = numbers(2, 150_000_000) as [string, string];
const REGISTER = 'politie/incidenten';

/** Two agencies; the police have one register with one client and answer for it. */
async function federation(options: Parameters<typeof TestNode.join>[2] = {}) {
  const gateway = new StandInGateway();
  const police = await TestNode.join(gateway, 'politie', options);
  const asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  await police.import([known]);
  await police.upkeep();
  return { gateway, police, asker };
}

describe('what a node does with a question that is not right', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeAll(async () => {
    ({ gateway, police, asker } = await federation());
  });

  afterEach(() => {
    gateway.now = T0;
    gateway.changeDelivery = (delivery) => delivery;
    gateway.changeReport = (report) => report;
    gateway.changeTicket = (ticket) => ticket;
  });

  afterAll(async () => {
    await police.close();
    await asker.close();
  });

  const answered = async () =>
    (await police.agencyLog.read(0, 10_000)).filter(({ event }) => event === 'answered').length;
  const changed = (delivery: Delivery, change: Partial<Ticket>): Delivery => ({
    ...delivery,
    ticket: ticketCodec.encode({ ...ticketCodec.decode(delivery.ticket), ...change }),
  });
  const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
    Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

  it('answers one that is right, and has logged it', async () => {
    const before = await answered();
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
    expect(wordOf((await asker.ask([stranger]))[0]![REGISTER])).toBe('not-known');
    expect(await answered()).toBe(before + 2);
  });

  const wrongs: Record<string, (delivery: Delivery) => Delivery> = {
    'a truncated question': (delivery) => ({
      ...delivery,
      question: { ...delivery.question, ciphertext: delivery.question.ciphertext.slice(0, -1) },
    }),
    'an empty question': (delivery) => ({
      ...delivery,
      question: { ...delivery.question, ciphertext: new Uint8Array(0) },
    }),
    'a question with one bit changed': (delivery) => ({
      ...delivery,
      question: { ...delivery.question, ciphertext: flipped(delivery.question.ciphertext, 40) },
    }),
    'a question under another number': (delivery) => ({
      ...delivery,
      question: { ...delivery.question, counter: delivery.question.counter + 1 },
    }),
    'a ticket for another agency': (delivery) => changed(delivery, { node: 'reclassering' }),
    'a ticket of another asker': (delivery) => changed(delivery, { asker: 'politie' }),
    'a ticket with another purpose': (delivery) => changed(delivery, { purpose: 'jeugdbescherming' }),
    'a ticket with more persons': (delivery) => changed(delivery, { persons: 2 }),
    'a ticket with more registers': (delivery) => changed(delivery, { registers: ['incidenten', 'zaken'] }),
    'a ticket of another version': (delivery) => changed(delivery, { version: 2 }),
    'an expired ticket': (delivery) => changed(delivery, { issuedAt: T0 - 300_000, expiresAt: T0 - 240_000 }),
    'a ticket from the future': (delivery) =>
      changed(delivery, { issuedAt: T0 + 120_000, expiresAt: T0 + 180_000 }),
    'a ticket that is cut off': (delivery) => ({ ...delivery, ticket: delivery.ticket.slice(0, -1) }),
    'no ticket at all': (delivery) => ({ ...delivery, ticket: new Uint8Array(0) }),
    'evidence of another request': (delivery) => ({ ...delivery, evidence: secureRandom(80) }),
    'an opening that is garbage': (delivery) => ({
      ...delivery,
      question: { ...delivery.question, sessionId: secureRandom(16), opening: secureRandom(200) },
    }),
  };

  it.each(Object.entries(wrongs))('rejects %s, says nothing, and logs that it did', async (_, wrong) => {
    const [before, lines] = [await answered(), police.log.lines.length];
    gateway.changeDelivery = wrong;
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: rejected');
    expect(await answered()).toBe(before);
    expect(police.log.lines.slice(lines)).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'question-rejected' }),
    );
    gateway.changeDelivery = (delivery) => delivery;
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
  });

  it('rejects a question whose session another agency opened in the name of the asker', async () => {
    const node = gateway.agencies.get('politie')!;
    const { session, opening } = await openSession(
      backend,
      { asker: 'gemeente', identitySeed: secureRandom(32), node: 'politie', nodeKey: node.sessionKey },
      T0,
      secureRandom,
    );
    gateway.changeDelivery = (delivery) => ({
      ...delivery,
      question: { ...delivery.question, sessionId: session.id, opening, counter: 0 },
    });
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: rejected');
    expect(police.log.lines.at(-1)).toMatchObject({ code: 'signature-invalid' });
  });

  it('does not take a session of one agency for a ticket of another', async () => {
    const other = await TestNode.join(gateway, 'reclassering', { registers: [] });
    await police.roster.accept(gateway.sign());
    await other.ask([known]);
    const theirs = gateway.deliveries.at(-1)!;
    gateway.changeDelivery = (delivery) => ({
      ...delivery,
      question: { ...delivery.question, sessionId: theirs.question.sessionId, opening: undefined },
    });
    // The session is not the asker's, so it is unknown; and then once more.
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: rejected');
    await other.close();
  });

  it('answers a question once, also after a restart and also under a fresh number', async () => {
    await asker.ask([known]);
    const delivery = gateway.deliveries.at(-1)!;
    const before = await answered();
    expect((await police.answer(delivery)).outcome).toBe('rejected');
    expect(police.log.lines.at(-1)).toMatchObject({ code: 'replayed' });
    await police.restart();
    // A new process knows no session; one that comes with its opening is taken, and the durable log says no.
    const replies = [await police.answer(delivery), await police.answer({ ...delivery, delivery: 7 })];
    expect(replies.every(({ outcome }) => outcome === 'rejected' || outcome === 'session-unknown')).toBe(
      true,
    );
    expect(replies.every(({ ciphertext }) => ciphertext === undefined)).toBe(true);
    expect(await answered()).toBe(before);
    await police.canary();
  });

  it('answers a second question with the same ticket no more than a replayed one', async () => {
    await police.restart();
    await police.canary();
    asker.outgoing.drop('politie', (await asker.outgoing.next('politie')).outgoing);
    await asker.ask([known]);
    const first = gateway.deliveries.at(-1)!;
    expect(first.question.opening).toBeDefined();
    await police.restart();
    await police.canary();
    // The replay guard is the log: the opening is accepted again, the lookup is not.
    expect((await police.answer(first)).outcome).toBe('rejected');
    expect(police.log.lines.at(-1)).toMatchObject({ code: 'replayed' });
  });

  it('lets nobody but itself ask about the canary', async () => {
    const words: string[] = [];
    const registers = addressedRegisters(asker.roster.roster, [REGISTER]);
    const question = {
      purpose: CANARY_PURPOSE,
      caseCommitment: encodeBase64(secureRandom(32)),
      professional: encodeBase64(secureRandom(16)),
      role: CANARY_ROLE,
      statements: [],
      persons: tokensOfPersons([personSchema.parse({ bsn: known })], ['bsn']),
      tokenTypes: ['bsn', 'name+birthdate'],
      registers,
    };
    // An asker and a gateway that keep no rules: it is the node that must refuse.
    // Nor whoever stole its signing key: about what this agent did not ask itself it says nothing.
    for (const { service } of [asker, police])
      for await (const event of ask(service, question))
        if (event.type === 'register') words.push(wordOf(event.outcomes[0]));
    expect(words).toEqual(['no-answer: rejected', 'no-answer: rejected']);
    expect(police.log.lines.at(-1)).toMatchObject({ code: 'ticket-invalid' });
  });

  it('does not send a question with a ticket that tells the node another story', async () => {
    for (const change of [
      { purpose: 'jeugdbescherming' },
      { persons: 2 },
      { registers: ['incidenten', 'zaken'] },
      { registers: [] },
      { requestDigest: secureRandom(32) },
      { lookupId: secureRandom(16) },
      { rosterVersion: 1 },
      { asker: 'politie' },
      { elementDigests: [] },
    ]) {
      const before = gateway.deliveries.length;
      gateway.changeTicket = (ticket) => ({ ...ticket, ...change });
      expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('invalid: reply-failed-check');
      expect(gateway.deliveries.length).toBe(before);
    }
  });

  it.each([
    ['a changed reply', (bytes: Uint8Array) => flipped(bytes, 30)],
    ['a reply that is cut off', (bytes: Uint8Array) => bytes.slice(0, 20)],
    ['an empty reply', () => new Uint8Array(0)],
    ['a reply without content', () => undefined],
  ])('shows %s as invalid, never as "not known"', async (_, change) => {
    gateway.changeReport = (report) => ({ ...report, ciphertext: change(report.ciphertext!) });
    expect(wordOf((await asker.ask([stranger]))[0]![REGISTER])).toBe('invalid: reply-failed-check');
    expect(asker.log.lines.at(-1)).toMatchObject({ level: 'error', event: 'reply-invalid' });
  });

  it('does not take the reply to one question for the reply to another', async () => {
    await asker.ask([stranger]);
    let earlier: Uint8Array | undefined;
    gateway.changeReport = (report) => {
      const swapped = { ...report, ciphertext: earlier ?? report.ciphertext };
      earlier ??= report.ciphertext;
      return swapped;
    };
    expect(wordOf((await asker.ask([stranger]))[0]![REGISTER])).toBe('not-known');
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('invalid: reply-failed-check');
  });
});

describe('what a node refuses, and what it cannot answer', () => {
  let running: Awaited<ReturnType<typeof federation>>;
  beforeEach(() => {
    running = undefined as never;
  });
  afterEach(async () => {
    await running.police.close();
    await running.asker.close();
  });

  it('seals a refusal when the quota of the day is used up, and starts again at midnight UTC', async () => {
    running = await federation({ quota: 3 });
    const { gateway, police, asker } = running;
    expect(wordOf((await asker.ask([known, stranger]))[0]![REGISTER])).toBe('known');
    expect(wordOf((await asker.ask([known, stranger]))[0]![REGISTER])).toBe('refused: node-quota-agency');
    // The refused ones were not counted.
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('refused: node-quota-agency');
    await police.restart();
    await police.canary();
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('refused: node-quota-agency');
    expect((await police.agencyLog.read(0, 100)).map(({ event }) => event)).toEqual([
      'answered',
      'refused',
      'answered',
      'refused',
      'refused',
    ]);
    gateway.now = Date.UTC(2026, 2, 3, 0, 0, 1);
    await police.upkeep();
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
  });

  it('refuses a purpose that is not on its roster, and logs the refusal', async () => {
    running = await federation();
    const { gateway, police, asker } = running;
    const { policy, version } = gateway;
    gateway.changePolicy({ purposes: [purposeFile('jeugdbescherming')] });
    await police.roster.accept(gateway.sign());
    // As it was allowed a moment before.
    Object.assign(gateway, { policy, version });
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('refused: purpose');
    expect((await police.agencyLog.read(0, 10)).map(({ event }) => event)).toEqual(['refused']);
  });

  it('refuses an agency that was taken off the roster, whatever session it still has', async () => {
    running = await federation();
    const { gateway, police, asker } = running;
    await asker.ask([known]);
    const entry = gateway.agencies.get('gemeente')!;
    gateway.agencies.delete('gemeente');
    gateway.version++;
    await police.roster.accept(gateway.sign());
    gateway.put(entry);
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('refused: agency');
  });

  it('answers nothing when it cannot log, and says why in its own log', async () => {
    running = await federation();
    const { police, asker } = running;
    police.database.exec('PRAGMA query_only = ON');
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: rejected');
    expect(police.log.lines.at(-1)).toMatchObject({
      event: 'question-rejected',
      code: 'storage-failed',
      reason: expect.stringContaining('readonly') as string,
    });
    police.database.exec('PRAGMA query_only = OFF');
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
  });

  it('asks nothing when the asker cannot log', async () => {
    running = await federation();
    const { gateway, asker } = running;
    const before = gateway.deliveries.length;
    await asker.roster.accept(gateway.sign());
    asker.database.exec('PRAGMA query_only = ON');
    await expect(asker.ask([known])).rejects.toMatchObject({ code: 'storage-failed' });
    expect(gateway.deliveries.length).toBe(before);
    asker.database.exec('PRAGMA query_only = OFF');
  });

  it('never shows a register that is not imported, starting or without its canary as "not known"', async () => {
    const gateway = new StandInGateway();
    const registers = [registerOf('incidenten'), registerOf('zaken')];
    const police = await TestNode.join(gateway, 'politie', { registers, canaryStaleMs: 180_000 });
    const asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    running = { gateway, police, asker };
    const words = async () => {
      const [result] = await asker.ask([known]);
      return Object.fromEntries(Object.entries(result!).map(([name, outcome]) => [name, wordOf(outcome)]));
    };
    expect(await words()).toEqual({
      'politie/incidenten': 'no-answer: not-imported',
      'politie/zaken': 'no-answer: not-imported',
    });
    await police.import([known]);
    await police.epochs.refresh();
    expect(await words()).toEqual({
      'politie/incidenten': 'no-answer: starting',
      'politie/zaken': 'no-answer: not-imported',
    });
    await police.canary();
    expect((await words())['politie/incidenten']).toBe('known');
    gateway.now += 180_001;
    expect((await words())['politie/incidenten']).toBe('no-answer: canary-failed');
    await police.canary();
    expect((await words())['politie/incidenten']).toBe('known');
    police.canaries.wasNotKnown('incidenten');
    expect((await words())['politie/incidenten']).toBe('no-answer: canary-failed');
    // Its tables come up again after a restart, and wait for the canary.
    await police.restart();
    expect((await words())['politie/incidenten']).toBe('no-answer: starting');
  });

  it('does not take new tables for healthy before their own canary came back', async () => {
    running = await federation();
    const { police, asker } = running;
    await police.import([known, stranger]);
    await police.epochs.refresh();
    expect(wordOf((await asker.ask([stranger]))[0]![REGISTER])).toBe('no-answer: starting');
    await police.canary();
    expect(wordOf((await asker.ask([stranger]))[0]![REGISTER])).toBe('known');
  });

  it('finds out with its canary that a table is broken', async () => {
    running = await federation();
    const { police, asker } = running;
    // Pseudonyms that the key of this node did not make: a database that was put back beside other keys.
    const other = await TestNode.join(running.gateway, 'reclassering');
    await other.import([stranger]);
    const rows = other.database.prepare('SELECT * FROM pseudonyms').all() as {
      token_type: string;
      element: Uint8Array;
      masked_hash: number;
    }[];
    police.database.exec('DELETE FROM pseudonyms; UPDATE imports SET generation = generation + 1');
    const insert = police.database.prepare(
      "INSERT INTO pseudonyms (register, token_type, element, masked_hash) VALUES ('incidenten', ?, ?, ?)",
    );
    for (const { token_type: type, element, masked_hash: hash } of rows) insert.run(type, element, hash);
    await police.epochs.refresh();
    await police.canary();
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: canary-failed');
    expect(police.canaries.state('incidenten').problem).toContain('canary');
    await other.close();
  });

  it('keeps the case, the professional and the subject out of everything that it sends', async () => {
    running = await federation();
    const { gateway, asker } = running;
    await asker.ask([known], { caseReference: 'ZAAK-MERKTEKEN', professional: 'MERKTEKEN-naam' });
    const sent = Buffer.concat(
      gateway.deliveries.map(({ ticket, evidence }) => Buffer.concat([ticket, evidence])),
    );
    for (const mark of [known, 'ZAAK-MERKTEKEN', 'MERKTEKEN-naam', encodeBase64(Buffer.from(known))])
      expect(sent.includes(mark)).toBe(false);
    expect(JSON.stringify([...asker.log.lines, ...running.police.log.lines])).not.toMatch(/MERKTEKEN/);
  });
});
