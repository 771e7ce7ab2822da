import type { Agency, LogEvent } from '@hitmachine/protocol';
import { checkEntry, decodeBase64, encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { IdSet } from '../../protocol/src/log/id-set.ts';
import {
  HandMade,
  MINUTE,
  START,
  backend,
  begun,
  id,
  random,
  reasons,
  register,
} from '../support/hand-made-log.ts';

let log: HandMade;

beforeEach(() => {
  log = begun();
});

describe('the start and the times of a log', () => {
  it('has one opening, in front, with the key and the federation that are expected', () => {
    expect(reasons(log.open())).toEqual(['a log is opened only once']);
    const other = new HandMade();
    expect(reasons(other.invite('politie'))).toEqual(['a log begins with the entry "log-opened"']);
    expect(reasons(new HandMade().open({ identityKey: encodeBase64(random(32)) }))).toEqual([
      'it names another key of the gateway',
    ]);
    expect(reasons(new HandMade().open({ federation: 'elders' }))[0]).toContain('another federation, elders');
  });

  it('never goes back in time', () => {
    expect(log.add({ event: 'agency-invited', agency: 'x', again: false }, START + MINUTE)).toEqual([]);
    expect(log.add({ event: 'agency-invited', agency: 'y', again: false }, START)).toEqual([
      { index: 8, reason: 'its time is 60 s before that of the entry before it' },
    ]);
  });

  it('has entries in their one encoding only', () => {
    const facts = checkEntry(backend, utf8ToBytes('{"at": 1,"event":"x"}'), () => []);
    expect(log.check.add(facts)[0]?.reason).toContain('it cannot be read: ');
  });
});

describe('a signed request in a log', () => {
  it('is signed by the agency, for this and nothing else, with the body that stands there', () => {
    expect(log.add(log.lookup('politie'))).toEqual([]);
    expect(reasons(log.add(log.lookup('politie', { seed: random(32) })))).toEqual([
      'politie did not sign this: the signature fits none of its keys',
    ]);
    expect(reasons(log.add(log.lookup('ggz', { seed: log.seeds.get('politie')! })))).toHaveLength(1);
    expect(reasons(log.add(log.lookup('politie', { path: '/v1/evaluations' })))).toEqual([
      'what was signed is a request for something else: POST /v1/evaluations',
    ]);
    const genuine = log.lookup('politie');
    expect(reasons(log.add({ ...genuine, body: genuine.body.replace('casus', 'Casus') }))).toEqual([
      'the body is not the one that politie signed',
    ]);
    expect(reasons(log.add({ ...genuine, agency: 'ggz' }))).toEqual([
      'the request was signed by politie, not by ggz',
    ]);
    expect(reasons(log.add(log.lookup('politie', { purpose: 'canary' })))[0]).toContain(
      'is not the event lookup',
    );
  });

  it('was made about when it was logged, and stands there once', () => {
    const early = log.lookup('politie', { at: START - 10 * MINUTE });
    expect(reasons(log.add(early))).toEqual([
      'it was held back or used again: politie signed it 10 min before the time of the entry',
    ]);
    expect(reasons(log.add(log.lookup('politie', { at: START + 10 * MINUTE })))).toEqual([
      'it is back-dated: politie signed it 10 min after the time of the entry',
    ]);
    const lookup = log.lookup('politie');
    expect(log.add(lookup)).toEqual([]);
    expect(reasons(log.add({ ...lookup, lookupId: id() }))).toEqual([
      'it is a duplicate: the request of politie in it stands in entry 9 already',
    ]);
    log.at += 1_000 * MINUTE;
    expect(reasons(log.add(lookup))).toEqual([
      'it was held back or used again: politie signed it 17 h before the time of the entry',
      `the identifier of this lookup, ${lookup.lookupId}, was used before`,
    ]);
  });

  it('may end in a refusal when it was logged and could not be answered, once', () => {
    const { agency, evidence, ...lookup } = log.lookup('politie');
    expect(log.add({ agency, evidence, ...lookup })).toEqual([]);
    const refused: LogEvent = { event: 'lookup-refused', agency, code: 'storage-failed', evidence };
    expect(log.add(refused)).toEqual([]);
    expect(reasons(log.add(refused))).toEqual([
      'it is a duplicate: the request of politie in it stands in entry 7 already',
    ]);
  });

  it('is made with a roster that was there', () => {
    log.version++;
    expect(reasons(log.add(log.lookup('politie')))).toEqual([
      'it was made with roster 2, and roster 1 is in force',
    ]);
  });
});

describe('an answer in a log', () => {
  it('follows the lookup that it is to, by a node that this addresses, at most twice', () => {
    const lookup = log.lookup('politie');
    const answer = (change: object = {}) => reasons(log.add(log.answerTo(lookup, change)));
    expect(answer()[0]).toMatch(/and no entry before it opens that$/);
    expect(log.add(lookup)).toEqual([]);
    expect(answer({ agency: 'ggz' })).toEqual(['it says that ggz asked, and politie did']);
    expect(answer({ node: 'wijkteam' })).toEqual([
      'it is an answer of wijkteam, which the lookup did not address',
    ]);
    expect(answer({ request: encodeBase64(random(32)) })[0]).toContain('to another request of politie');
    expect([answer(), answer()]).toEqual([[], []]);
    expect(answer()).toEqual(['it is answer 3 of ggz to the same lookup']);
  });
});

describe('the keys of an agency', () => {
  it('count from their enrolment until a roster shows another one, and a moment longer', () => {
    const former = log.seeds.get('politie')!;
    const before = log.lookup('politie');
    expect(log.enrol('politie')).toEqual([]);
    // The gateway may have checked it in the moment before.
    expect(log.add(before)).toEqual([]);
    expect(reasons(log.add(log.lookup('politie')))).toEqual([
      'it is signed with a key that no roster had given politie yet',
    ]);
    expect(log.roster(['agency-keys'])).toEqual([]);
    expect(log.check.notices).toEqual([
      {
        index: 11,
        reason: 'politie got another key: ask politie whether that was so',
      },
    ]);
    log.at += 2 * MINUTE;
    expect(log.add(log.lookup('politie'))).toEqual([]);
    expect(reasons(log.add(log.lookup('politie', { seed: former })))).toEqual([
      'it is signed with a key that no longer counted: politie has another key since entry 11',
    ]);
    expect(log.check.membership.formerKeys).toMatchObject([{ agency: 'politie' }]);
  });

  it('do not count before their enrolment, nor after the agency was taken off', () => {
    const later = random(32);
    log.keys.get('politie')!.push(encodeBase64(backend.signatures.publicKey(later)));
    expect(reasons(log.add(log.lookup('politie', { seed: later })))).toEqual([
      'politie enrolled with the key that signed this only later',
    ]);
    expect(log.add({ event: 'agency-removed', agency: 'ggz', enrolled: true })).toEqual([]);
    expect(log.add(log.lookup('ggz'))).toEqual([]);
    log.at += 2 * MINUTE;
    expect(reasons(log.add(log.lookup('ggz')))).toEqual([
      'it is signed with a key that no longer counted: ggz was taken off at entry 8',
    ]);
    expect(log.enrol('ggz')).toEqual([]);
    expect(log.roster(['agency-keys'])).toEqual([]);
    expect(log.add(log.lookup('ggz'))).toEqual([]);
  });

  it('come with an enrolment that their holder signed', () => {
    const evidence = log.signed('politie', 'POST', '/v1/enrolments', '{}');
    const identityKey = encodeBase64(random(32));
    expect(reasons(log.add({ event: 'enrolment', agency: 'politie', identityKey, evidence }))).toEqual([
      'politie did not sign this: the signature fits none of its keys',
    ]);
  });

  it('of before a log that continues another are taken from its first roster, and that is told', () => {
    const old = new HandMade();
    for (const agency of ['politie', 'ggz']) old.enrol(agency);
    const continuing = new HandMade();
    Object.assign(continuing, { seeds: old.seeds, keys: old.keys, agencies: old.agencies, version: 6 });
    expect(continuing.open({ before: encodeBase64(random(32)) })).toEqual([]);
    expect(continuing.policy()).toEqual([]);
    expect(continuing.add(continuing.lookup('politie'))).toEqual([]);
    expect(continuing.roster(['registers'])).toEqual([]);
    expect(continuing.add(continuing.lookup('politie'))).toEqual([]);
    expect(continuing.check.notices).toHaveLength(1);
  });
});

describe('a roster in a log', () => {
  const politie = (change: Partial<Agency>): void => {
    log.agencies = log.agencies.map((one) => (one.id === 'politie' ? { ...one, ...change } : one));
  };

  it('counts up by one', () => {
    expect(reasons(log.roster([], 3))).toEqual(['it is version 3 of the roster, where version 2 is due']);
  });

  it('has a document that fits, and may be logged twice when it is the same', () => {
    const digest = encodeBase64(random(32));
    expect(reasons(log.add({ event: 'roster', version: 2, digest, changed: [] }))[0]).toContain('roster 2');
    log.version = 2;
    expect(log.roster([])).toEqual([]);
    const payload = decodeBase64(log.documents.get(3)!.payload);
    const again = {
      event: 'roster',
      version: 3,
      digest: encodeBase64(sha256(payload)),
      changed: [],
    } as const;
    expect(log.add({ ...again, changed: [] })).toEqual([]);
    expect(log.check.notices).toHaveLength(1);
    expect(reasons(log.add({ ...again, digest, changed: [] }))).toEqual([
      'it is version 3 of the roster, where version 4 is due',
      'the document of roster 3 is not the one that was logged',
    ]);
  });

  it('tells what it changes', () => {
    log.enrol('wijkteam');
    expect(reasons(log.roster(['policy']))).toEqual([
      'roster 2 changes agencies, agency-keys, registers, and the entry says policy',
    ]);
  });

  it('changes nothing of an agency without its word', () => {
    politie({ registers: [register('een'), register('twee')] });
    expect(reasons(log.roster(['registers']))).toEqual([
      'it has other registers of politie than the roster before, and politie did not announce them',
    ]);
    const registers = [register('drie')];
    const body = JSON.stringify({ registers });
    const evidence = log.signed('politie', 'PUT', '/v1/registers', body);
    expect(log.add({ event: 'registers', agency: 'politie', body, evidence })).toEqual([]);
    politie({ registers });
    expect(log.roster(['registers'])).toEqual([]);
    politie({ identityKey: encodeBase64(random(32)) });
    expect(reasons(log.roster(['agency-keys']))).toEqual([
      'it gives politie a key with which politie never enrolled',
    ]);
    politie({ identityKey: log.keys.get('politie')![0]!, sessionKey: { kem: 'x25519', publicKey: id() } });
  });

  it('drops an agency only when that was logged, and does not bring it back by itself', () => {
    const { agencies } = log;
    log.agencies = agencies.filter(({ id: name }) => name === 'politie');
    expect(reasons(log.roster(['agencies', 'agency-keys', 'registers']))).toEqual([
      'ggz is no longer on it, and no entry says that it was taken off',
    ]);
    expect(log.add({ event: 'agency-removed', agency: 'politie', enrolled: true })).toEqual([]);
    log.agencies = [];
    expect(log.roster(['agencies', 'agency-keys', 'registers'])).toEqual([]);
    log.at += 2 * MINUTE;
    log.agencies = agencies.filter(({ id: name }) => name === 'politie');
    expect(reasons(log.roster(['agencies', 'agency-keys', 'registers']))).toEqual([
      'it gives politie a key that no longer counted: politie was taken off at entry 8',
    ]);
  });
});

describe('the identifiers of many lookups', () => {
  it('are each found once', () => {
    const ids = Array.from({ length: 5_000 }, id);
    const set = new IdSet();
    expect(ids.every((one) => set.add(one))).toBe(true);
    expect(ids.some((one) => set.add(one))).toBe(false);
    const zero = encodeBase64(new Uint8Array(16));
    expect([set.add(zero), set.add(zero)]).toEqual([true, false]);
  });
});
