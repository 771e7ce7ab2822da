import {
  SUBJECT_ACCESS_PURPOSE,
  agencyFingerprint,
  encodeBase64,
  parseKnownKeys,
} from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { HandMade, MINUTE, backend, begun, random, reasons, register } from '../support/hand-made-log.ts';

let log: HandMade;
beforeEach(() => {
  log = begun();
});

describe('an enrolment', () => {
  it('needs an invitation that no enrolment has used', () => {
    const uninvited = 'politie was not invited to enrol: no invitation of it is left';
    expect([...log.enrol('politie'), ...log.roster(['agency-keys'])]).toEqual([]);
    expect(reasons(log.enrolUninvited('politie'))).toEqual([uninvited]);
    expect(reasons(log.roster(['agency-keys']))).toEqual([
      'it gives politie a key for which politie was not invited',
    ]);
  });

  it('that is invented does not make a lookup count', () => {
    expect(reasons(log.enrolUninvited('wijkteam'))).toHaveLength(1);
    const noRoster = [
      'it is signed with a key that no roster had given wijkteam yet',
      expect.stringContaining('only agencies of these kinds ask for it') as string,
    ];
    expect(reasons(log.add(log.lookup('wijkteam')))).toEqual(noRoster);
    // An invitation alone helps as little.
    expect(log.invite('wijkteam')).toEqual([]);
    expect(log.enrolUninvited('wijkteam')).toEqual([]);
    expect(reasons(log.add(log.lookup('wijkteam')))).toEqual(noRoster);
    expect(log.roster(['agencies', 'agency-keys', 'registers'])).toEqual([]);
    expect(log.add(log.lookup('wijkteam'))).toEqual([]);
  });

  it('may come twice with the same key, also with the one in force', () => {
    const seed = random(32);
    expect(log.enrol('politie', seed)).toEqual([]);
    expect(log.enrolUninvited('politie', seed)).toEqual([]);
    expect(log.roster(['agency-keys'])).toEqual([]);
    expect(log.enrolUninvited('politie', seed)).toEqual([]);
    expect(log.add(log.lookup('politie'))).toEqual([]);
  });

  it('may lose a race for one token, of which a roster shows the winner only', () => {
    const winner = random(32);
    expect(log.invite('politie')).toEqual([]);
    expect(log.enrolUninvited('politie', random(32))).toEqual([]);
    const other = log.agencies;
    expect(log.enrolUninvited('politie', winner)).toEqual([]);
    expect(log.roster(['agency-keys'])).toEqual([]);
    log.agencies = other;
    expect(reasons(log.roster(['agency-keys']))).toEqual([
      'it gives politie a key for which politie was not invited',
    ]);
  });

  it('counts also when a roster from before it comes into the log after it', () => {
    const before = log.agencies;
    expect(log.enrol('politie')).toEqual([]);
    const after = log.agencies;
    log.agencies = before;
    expect(log.roster([])).toEqual([]);
    log.agencies = after;
    expect(log.roster(['agency-keys'])).toEqual([]);
    log.at += 10 * MINUTE;
    expect(log.add(log.lookup('politie'))).toEqual([]);
  });

  it('may use an invitation of before a log that continues another, for a week, and that is told', () => {
    const { agencies, keys, seeds } = log;
    log = Object.assign(new HandMade(), { agencies, keys, seeds });
    expect(log.open({ before: encodeBase64(random(32)) })).toEqual([]);
    expect(log.policy()).toEqual([]);
    expect(log.roster([])).toEqual([]);
    expect(log.enrolUninvited('wijkteam')).toEqual([]);
    expect(log.check.notices.at(-1)?.reason).toContain('an invitation from before this log');
    log.at += 8 * 24 * 60 * MINUTE;
    expect(reasons(log.enrolUninvited('reclassering'))).toHaveLength(1);
  });
});

describe('the keys that agencies are known by', () => {
  const fingerprint = (agency: string): string =>
    agencyFingerprint(log.agencies.find(({ id }) => id === agency)!);

  it('are read from what "hit-agent trust" prints, and from lines with keys', () => {
    const key = encodeBase64(random(32));
    const known = parseKnownKeys(
      [
        'NAME           PINNED   ON THE ROSTER',
        '(gateway)      1111-2222-3333-4444-5555-6666-7777-8888  same',
        '(token types)  bsn 6  same',
        `politie  ${fingerprint('politie')}  same`,
        'ggz/een  listed  gone',
        '',
        `The gateway's key, for "hit-verify --gateway-key": ${key}`,
        '# asked by telephone',
        `ggz ${key}`,
        `ggz ${fingerprint('ggz').toUpperCase()}`,
      ].join('\n'),
    );
    expect([...known.keys()]).toEqual(['politie', 'ggz']);
    expect([...known.get('ggz')!]).toEqual([key, fingerprint('ggz')]);
    expect(() => parseKnownKeys('politie 12')).toThrow(/line 1: give an agency and/);
  });

  it('make another key a problem, and a known one no notice', () => {
    const [old, later] = [random(32), random(32)];
    const key = (seed: Uint8Array): string => encodeBase64(backend.signatures.publicKey(seed));
    const known = new Map([['wijkteam', new Set([key(old), key(later)])]]);
    log = begun(known);
    const change = ['agencies', 'agency-keys', 'registers'] as const;
    log.enrol('wijkteam', old);
    expect(log.roster([...change])).toEqual([]);
    log.enrol('wijkteam', later);
    expect(log.roster(['agency-keys'])).toEqual([]);
    expect(log.check.notices).toEqual([]);
    log.enrol('wijkteam', random(32));
    expect(reasons(log.roster(['agency-keys']))).toEqual([
      'it gives wijkteam other keys than those that wijkteam is known by',
    ]);
  });
});

describe('a lookup that the gateway had to refuse', () => {
  const refused = (change: Readonly<Record<string, unknown>>, agency = 'politie'): string[] =>
    reasons(log.add({ ...log.lookup(agency, { change }), event: eventOf(change) }));
  const eventOf = (change: object) =>
    'purpose' in change && change.purpose === 'canary' ? 'canary' : 'lookup';

  it.each([
    [{ purpose: 'nieuwsgierig' }, 'unknown-purpose): purpose: a purpose from the policy'],
    [{ registers: ['ggz/twee'] }, 'unknown-register): registers.0: not on the roster'],
    [{ registers: ['ggz/een', 'ggz/een'] }, 'field-invalid): registers.1: stands twice'],
    [{ tokenTypes: ['name'] }, 'field-invalid): tokenTypes.0: one of bsn'],
    [{ persons: 5 }, 'field-invalid): persons: at most 4 in this federation'],
    [{ registers: ['ggz/asked-about'] }, 'is for the purpose subject-access only'],
    [{ purpose: SUBJECT_ACCESS_PURPOSE }, 'registers of persons asked about are asked, and no others'],
    [{ purpose: 'canary' }, 'registers.0: the purpose "canary" is for your own registers only'],
    [{ purpose: 'canary', registers: ['politie/een'], persons: 2 }, 'is for one person, the canary'],
  ])('is one with %j', (change, reason) => {
    const [found, ...more] = refused(change);
    expect(found).toMatch(/^roster 1 does not allow it \(/);
    expect(found).toContain(reason);
    expect(more).toEqual([]);
  });

  it('is not one for a canary, or for what a person asks', () => {
    expect(refused({ purpose: 'canary', registers: ['politie/een'] })).toEqual([]);
    expect(refused({ purpose: SUBJECT_ACCESS_PURPOSE, registers: ['ggz/asked-about'] })).toEqual([]);
  });

  it('has an element for every person and token type', () => {
    expect(refused({ persons: 2 })).toEqual([]);
    expect(refused({ persons: 2, elements: encodeBase64(random(32)) })).toEqual([
      'it has 32 bytes of elements, where every person and token type has 32: 64',
    ]);
  });

  it('is made with the roster in force, or with the one that was until a moment ago', () => {
    const late = log.lookup('politie');
    const later = log.lookup('politie');
    expect(log.roster([])).toEqual([]);
    expect(log.roster([])).toEqual([]);
    log.at += MINUTE;
    expect(log.add(late)).toEqual([]);
    log.at += 1_000;
    expect(reasons(log.add(later))).toEqual(['it was made with roster 1, and roster 3 is in force']);
    expect(log.add(log.lookup('politie'))).toEqual([]);
  });

  it('has a body that is compact, with every member once', () => {
    const said = 'the body is not compact JSON with every member once';
    for (const spelt of [
      (body: string): string => body.replace('{', '{ '),
      (body: string): string => body.replace('{', '{"purpose":"iets-anders",'),
    ])
      expect(reasons(log.add(log.lookup('politie', { spelt })))).toEqual([said]);
  });
});

describe('the table commitments of an agency', () => {
  const chain = encodeBase64(random(32));
  const commit = (change: object): string[] => reasons(log.commit('ggz', change));

  it('have epochs that rise and that are not far ahead', () => {
    expect([commit({ epoch: 1 }), commit({ epoch: 3 })]).toEqual([[], []]);
    expect(commit({ epoch: 3 })).toEqual(['ggz has committed to tables for epoch 3 before']);
    expect(commit({ epoch: 2 })).toEqual([
      'ggz has committed to tables for epoch 3 before, and epochs only rise: this one is 2',
    ]);
    expect(commit({ epoch: log.at + 10 * MINUTE })).toEqual([]);
    expect(commit({ epoch: log.at + 11 * MINUTE })).toEqual([
      `its epoch, ${log.at + 11 * MINUTE}, lies 11 min after the time of the entry`,
    ]);
  });

  it('are to tables that the agency has', () => {
    const table = { bits: 0, capacity: 1, root: chain };
    const tables = [{ register: 'een', tokenType: 'bsn', ...table }];
    expect(commit({ epoch: 1, tables })).toEqual([]);
    expect(
      commit({ epoch: 2, tables: [...tables, { register: 'een', tokenType: 'name', ...table }] }),
    ).toEqual(['ggz commits to a table een/name, which it does not have on the roster']);
    const others = [{ register: 'twee', tokenType: 'bsn', ...table }];
    expect(commit({ epoch: 3, tables: others })).toEqual([
      'ggz commits to a table twee/bsn, which it does not have on the roster',
    ]);
    // Announced, and on no roster yet.
    const body = JSON.stringify({ registers: [register('twee')] });
    const evidence = log.signed('ggz', 'PUT', '/v1/registers', body);
    expect(log.add({ event: 'registers', agency: 'ggz', body, evidence })).toEqual([]);
    expect(commit({ epoch: 4, tables: others })).toEqual([]);
  });

  it("go with the agency's own log, which only grows, unless it enrolled anew", () => {
    const head = (sequence: number, own = chain) => ({ logHead: { sequence, chain: own } });
    expect([commit({ epoch: 1, ...head(7) }), commit({ epoch: 2, ...head(7) })]).toEqual([[], []]);
    expect(commit({ epoch: 3, ...head(7, encodeBase64(random(32))) })).toEqual([
      'the own log of ggz was written anew: its first 7 entries are others than at entry 8',
    ]);
    expect(commit({ epoch: 4, ...head(5) })).toEqual([
      'the own log of ggz was set back: it had 7 entries at entry 9, and has 5',
    ]);
    expect([...log.enrol('ggz'), ...log.roster(['agency-keys'])]).toEqual([]);
    expect(commit({ epoch: 5, ...head(1) })).toEqual([]);
    expect(log.check.notices.at(-1)?.reason).toBe('ggz enrolled again and keeps a new log of its own since');
    expect(commit({ epoch: 6, ...head(0) })).toHaveLength(1);
  });

  it('say nothing when nobody signed them', () => {
    const genuine = log.seeds.get('ggz')!;
    log.seeds.set('ggz', random(32));
    expect(commit({ epoch: 9 })).toEqual(['ggz did not sign this: the signature fits none of its keys']);
    log.seeds.set('ggz', genuine);
    expect(commit({ epoch: 1 })).toEqual([]);
  });
});

describe('an evaluation', () => {
  it('is for a register of the agency', () => {
    const evaluated = (register: string): string[] => {
      const evidence = log.signed('ggz', 'POST', '/v1/evaluations', '{}');
      return reasons(log.add({ event: 'evaluation', agency: 'ggz', register, elements: 1, evidence }));
    };
    expect(evaluated('een')).toEqual([]);
    expect(evaluated('twee')).toEqual(['it is for a register, twee, that ggz does not have on the roster']);
  });
});
