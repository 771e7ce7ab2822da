import { describe, expect, it } from 'vitest';
import type { Participants } from '@hitmachine/protocol';
import { policyMistakes, policySchema, signalsSchema } from '@hitmachine/protocol';
import { POLICY, changed, policyJson, policyWith } from './policy-support.ts';

const refused = (path: readonly (string | number)[], to: unknown): string[] =>
  (policySchema.safeParse(changed(policyJson(), path, to)).error?.issues ?? []).map((issue) =>
    issue.path.join('.'),
  );

describe('the form of a policy', () => {
  it.each<readonly [string, readonly (string | number)[], unknown, string]>([
    ['a quota of zero', ['quotas', 'agency', 'day'], 0, 'quotas.agency.day'],
    ['no quota of a day', ['quotas', 'professional', 'day'], undefined, 'quotas'],
    [
      'a purpose quota of zero',
      ['purposes', 0, 'quotas', 'agency', 'day'],
      0,
      'purposes.0.quotas.agency.day',
    ],
    ['too many bits', ['settings', 'tokenTypes', 'bsn'], 7, 'settings.tokenTypes'],
    ['no token type', ['settings', 'tokenTypes'], {}, 'settings.tokenTypes'],
    ['an unknown kind', ['purposes', 0, 'askers', 'kinds', 0], 'circus', 'purposes.0.askers.kinds.0'],
    ['nobody who asks', ['purposes', 0, 'askers', 'roles'], [], 'purposes.0.askers.roles'],
    ['nothing that is asked', ['purposes', 0, 'asked', 'areasOfLife'], [], 'purposes.0.asked.areasOfLife'],
    ['no persons', ['purposes', 0, 'maxPersons'], 0, 'purposes.0.maxPersons'],
    ['the reserved purpose', ['purposes', 0, 'code'], 'canary', 'purposes.0.code'],
    ['a right of nobody', ['tokenRights', 'bsn'], [], 'tokenRights.bsn'],
    ['a name in one language', ['roles', 0, 'name'], { nl: 'Regisseur' }, 'roles.0.name.en'],
    ['an unknown approval', ['purposes', 0, 'approval'], 'everybody', 'purposes.0.approval'],
    ['a setting nobody knows', ['purposes', 0, 'speed'], 1, 'purposes.0'],
    ['version zero', ['version'], 0, 'version'],
    ['another format', ['format'], 'hitmachine-policy-2', 'format'],
    ['a row of one', ['signals', 'consecutiveNumbers'], 1, 'signals.consecutiveNumbers'],
  ])('refuses %s', (_, path, to, where) => {
    expect(refused(path, to)).toContain(where);
  });

  it('fills in what may be left out: in use, without approval, at least 7 days of overlap', () => {
    const { keyOverlapDays, signals, purposes } = policySchema.parse({
      ...changed(policyJson(), ['keyOverlapDays'], undefined),
      signals: undefined,
    });
    expect(keyOverlapDays).toBe(7);
    expect(signals).toEqual(signalsSchema.parse({}));
    expect(purposes[1]).toMatchObject({
      inUse: true,
      approval: 'none',
      breakGlass: false,
      statements: [],
      routes: [],
      quotas: { agency: {}, professional: {} },
    });
  });
});

const PARTICIPANTS: Participants = {
  agencies: new Map([
    ['gemeente', { kind: 'municipality' }],
    ['politie', { kind: 'police' }],
  ]),
  registers: new Map([
    ['ggz/clienten', 'zorg'],
    ['ggz/woningen', 'wonen'],
  ]),
};

describe('mistakes in a policy that is well-formed', () => {
  it('finds none in one without', () => {
    expect(policyMistakes(POLICY, PARTICIPANTS)).toEqual([]);
  });

  const subject = ['purposes', 1] as const;
  const purpose = ['purposes', 0] as const;
  const name = { nl: 'x', en: 'x' };
  it.each<readonly [string, readonly (string | number)[], unknown, string, RegExp]>([
    [
      'a right on a type nobody has',
      ['tokenRights', 'skn'],
      ['police'],
      'tokenRights.skn',
      /^one of bsn, name/,
    ],
    [
      'a kind twice in a right',
      ['tokenRights', 'bsn'],
      ['police', 'municipality', 'police'],
      'tokenRights.bsn.2',
      /twice/,
    ],
    [
      'an area of life twice',
      ['areasOfLife', 1],
      { code: 'zorg', name },
      'areasOfLife.1.code',
      /this area of life stands twice/,
    ],
    ['a role twice', ['roles', 1], { code: 'regisseur', name }, 'roles.1.code', /this role stands twice/],
    ['the reserved role', ['roles', 1], { code: 'agent', name }, 'roles.1.code', /reserved/],
    [
      'more in a minute than in a day',
      ['quotas', 'agency', 'minute'],
      101,
      'quotas.agency.minute',
      /at most that of a day, 100/,
    ],
    [
      'a professional with more than the agency',
      ['quotas', 'professional', 'day'],
      101,
      'quotas.professional.day',
      /at most that of the agency, 100/,
    ],
    ['nights of no hour', ['signals', 'night'], { from: 3, until: 3 }, 'signals.night.until', /no night/],
    [
      'an exempt purpose nobody has',
      ['signals', 'exempt', 0],
      'feest',
      'signals.exempt.0',
      /a purpose of this policy/,
    ],
    ['an exempt purpose twice', ['signals', 'exempt'], ['overleg', 'overleg'], 'signals.exempt.1', /twice/],
    ['a purpose twice', [...subject, 'code'], 'overleg', 'purposes.1.code', /this purpose stands twice/],
    ['out of use without a reason', [...purpose, 'inUse'], false, 'purposes.0.whyNotInUse', /say why/],
    [
      'a reason for a purpose in use',
      [...purpose, 'whyNotInUse'],
      name,
      'purposes.0.whyNotInUse',
      /in use: leave it out/,
    ],
    [
      'a kind twice',
      [...purpose, 'askers', 'kinds'],
      ['police', 'municipality', 'police'],
      'purposes.0.askers.kinds.2',
      /twice/,
    ],
    [
      'an agency twice',
      [...purpose, 'askers', 'agencies'],
      ['politie', 'politie'],
      'purposes.0.askers.agencies.1',
      /twice/,
    ],
    [
      'an unknown role',
      [...purpose, 'askers', 'roles', 0],
      'chef',
      'purposes.0.askers.roles.0',
      /a role of this policy/,
    ],
    [
      'a role twice at a purpose',
      [...purpose, 'askers', 'roles'],
      ['fg', 'fg'],
      'purposes.0.askers.roles.1',
      /twice/,
    ],
    [
      'an area twice at a purpose',
      [...purpose, 'asked', 'areasOfLife'],
      ['zorg', 'wonen', 'zorg'],
      'purposes.0.asked.areasOfLife.2',
      /twice/,
    ],
    [
      'a register twice',
      [...purpose, 'asked', 'registers', 2],
      'ggz/clienten',
      'purposes.0.asked.registers.2',
      /twice/,
    ],
    [
      'a register of persons asked about',
      [...purpose, 'asked', 'registers', 0],
      'ggz/asked-about',
      'purposes.0.asked.registers.0',
      /"asked-about" is for the purpose "subject-access" only/,
    ],
    [
      'another register for subject access',
      [...subject, 'asked', 'registers'],
      ['ggz/clienten'],
      'purposes.1.asked.registers.0',
      /no other is asked/,
    ],
    [
      'an unknown area',
      [...purpose, 'asked', 'areasOfLife', 2],
      'sport',
      'purposes.0.asked.areasOfLife.2',
      /an area of life of this policy/,
    ],
    [
      'the area of subject access',
      [...purpose, 'asked', 'areasOfLife', 2],
      'subject-access',
      'purposes.0.asked.areasOfLife.2',
      /that name only/,
    ],
    [
      'another area for subject access',
      [...subject, 'asked', 'areasOfLife'],
      ['zorg'],
      'purposes.1.asked.areasOfLife.0',
      /"subject-access" alone/,
    ],
    [
      'an agency nobody knows',
      [...purpose, 'askers', 'agencies', 0],
      'circus',
      'purposes.0.askers.agencies.0',
      /no such agency/,
    ],
    [
      'an agency of another kind',
      [...purpose, 'askers', 'kinds'],
      ['police'],
      'purposes.0.askers.agencies.0',
      /kind municipality/,
    ],
    [
      'a register nobody has',
      [...purpose, 'asked', 'registers', 0],
      'ggz/dossiers',
      'purposes.0.asked.registers.0',
      /nobody has such a register/,
    ],
    [
      'a register of another area',
      [...purpose, 'asked', 'areasOfLife'],
      ['zorg', 'werk'],
      'purposes.0.asked.registers.1',
      /of the area of life wonen/,
    ],
    [
      'a statement twice',
      [...purpose, 'statements', 1, 'code'],
      'nodig',
      'purposes.0.statements.1.code',
      /this statement stands twice/,
    ],
    [
      'a token type nobody has',
      [...purpose, 'tokenTypes', 1],
      'skn',
      'purposes.0.tokenTypes.1',
      /one of bsn/,
    ],
    ['a token type twice', [...purpose, 'tokenTypes', 2], 'bsn', 'purposes.0.tokenTypes.2', /twice/],
    [
      'more persons than the federation',
      [...purpose, 'maxPersons'],
      9,
      'purposes.0.maxPersons',
      /at most that of the federation, 8/,
    ],
    [
      'a purpose that allows more than the federation',
      [...purpose, 'quotas', 'agency', 'day'],
      101,
      'purposes.0.quotas.agency.day',
      /never be reached/,
    ],
    [
      'a limit below one lookup',
      [...purpose, 'quotas', 'professional', 'minute'],
      3,
      'purposes.0.quotas.professional.minute',
      /at least maxPersons, 4/,
    ],
    [
      'a purpose minute above its day',
      [...purpose, 'quotas', 'professional', 'minute'],
      21,
      'purposes.0.quotas.professional.minute',
      /at most that of a day, 20/,
    ],
    [
      'answers kept longer than questions',
      [...purpose, 'retention', 'answerDays'],
      101,
      'purposes.0.retention.answerDays',
      /at most lookupDays, 100/,
    ],
    [
      'break-glass without approval',
      [...purpose, 'approval'],
      'none',
      'purposes.0.breakGlass',
      /no approval/,
    ],
    [
      'a route to what is not asked',
      [...purpose, 'routes', 0, 'areasOfLife', 0],
      'werk',
      'purposes.0.routes.0.areasOfLife.0',
      /that is asked/,
    ],
    [
      'two routes for an area',
      [...purpose, 'routes', 1],
      { areasOfLife: ['zorg'], ages: { from: 18 } },
      'purposes.0.routes.1.areasOfLife.0',
      /route above/,
    ],
    [
      'an area twice in a route',
      [...purpose, 'routes', 0, 'areasOfLife', 1],
      'zorg',
      'purposes.0.routes.0.areasOfLife.1',
      /one for each/,
    ],
    [
      'a route that says nothing',
      [...purpose, 'routes', 0, 'ages'],
      {},
      'purposes.0.routes.0.ages',
      /says nothing/,
    ],
    [
      'a route from birth',
      [...purpose, 'routes', 0, 'ages'],
      { from: 0 },
      'purposes.0.routes.0.ages',
      /says nothing/,
    ],
    [
      'a route for nobody',
      [...purpose, 'routes', 0, 'ages'],
      { from: 18, below: 18 },
      'purposes.0.routes.0.ages.below',
      /nobody is in between/,
    ],
  ])('finds %s', (_, path, to, where, detail) => {
    const found = policyMistakes(policyWith(path, to), PARTICIPANTS);
    expect(found.filter((one) => one.path.join('.') === where).map((one) => one.detail)).toContainEqual(
      expect.stringMatching(detail),
    );
  });

  it('finds a kind of agency that could ask by no token at all', () => {
    const sheltered = changed(policyJson(), [...purpose, 'askers', 'kinds', 2], 'shelter');
    expect(
      policyMistakes(policySchema.parse(changed(sheltered, [...purpose, 'tokenTypes'], ['bsn']))),
    ).toEqual([
      {
        path: ['purposes', 0, 'askers', 'kinds', 2],
        detail: 'has no right to any of the token types of this purpose',
      },
    ]);
  });

  it('does not miss agencies and registers where nobody knows them yet', () => {
    expect(policyMistakes(policyWith([...purpose, 'askers', 'agencies', 0], 'circus'))).toEqual([]);
    expect(policyMistakes(policyWith([...purpose, 'asked', 'registers', 0], 'ggz/dossiers'))).toEqual([]);
  });

  it('tells them in the order of the document', () => {
    const json = changed(
      changed(policyJson(), ['roles', 1], { code: 'agent', name }),
      [...purpose, 'maxPersons'],
      9,
    );
    expect(policyMistakes(policySchema.parse(json)).map(({ path }) => path[0])).toEqual([
      'roles',
      'purposes',
      // Nor could nine persons ever be asked about within the five of a minute.
      'purposes',
    ]);
  });
});
