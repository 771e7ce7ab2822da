import { describe, expect, it } from 'vitest';
import type { RegisterAnswer } from '../../deploy/demo/lookup.ts';
import { asked } from '../../deploy/demo/lookup.ts';
import type { TokenType } from '../../deploy/demo/population/index.ts';
import {
  TOKEN_TYPES,
  expectedRegisters,
  makePopulation,
  scriptedPersons,
} from '../../deploy/demo/population/index.ts';
import { compare } from '../../deploy/demo/script.ts';

const city = makePopulation({ seed: 2026 });
const { knownToThree: person } = scriptedPersons(city);

/** What eight faultless agencies would say. */
function rightAnswers(tokens: readonly TokenType[] = TOKEN_TYPES): RegisterAnswer[] {
  const hits = new Map(expectedRegisters(city, person, tokens).map((hit) => [hit.register, hit.matchedOn]));
  return city.agencies
    .flatMap(({ registers }) => registers)
    .map((register) => {
      const matchedOn = hits.get(register);
      const known = matchedOn !== undefined;
      return {
        register: register.path,
        status: known ? 'known' : 'not-known',
        matchedOn: matchedOn ?? [],
        reason: undefined,
        contact: known ? { ...register.contact } : undefined,
      };
    });
}

/** The complaints when the police's answer is another one than it should be. */
function complaintsWhenPolice(change: Partial<RegisterAnswer>, away: readonly string[] = []): string[] {
  const answers = rightAnswers().map((answer) =>
    answer.register === 'politie/incidenten' ? { ...answer, ...change } : answer,
  );
  return compare(city, person, TOKEN_TYPES, away, answers);
}

describe('the demo’s comparison with the plain model', () => {
  it('has nothing to say about right answers', () => {
    expect(compare(city, person, TOKEN_TYPES, [], rightAnswers())).toEqual([]);
    expect(compare(city, person, ['name+birthdate'], [], rightAnswers(['name+birthdate']))).toEqual([]);
  });

  it('sees a client who is not found, and a match on another token', () => {
    expect(complaintsWhenPolice({ status: 'not-known', matchedOn: [], contact: undefined })).toEqual([
      'politie/incidenten said "not-known", but "known bsn name+birthdate" is right',
      'politie/incidenten gave no contact',
    ]);
    expect(complaintsWhenPolice({ matchedOn: ['bsn'] })).toHaveLength(1);
  });

  it('takes "not known" from an agency that is away for wrong, and "no answer" for right', () => {
    const nothing = { matchedOn: [], contact: undefined };
    expect(complaintsWhenPolice({ status: 'no-answer', ...nothing }, ['politie'])).toEqual([]);
    expect(complaintsWhenPolice({ status: 'not-known', ...nothing }, ['politie'])).toEqual([
      'politie/incidenten said "not-known", but "no-answer" is right',
    ]);
    expect(complaintsWhenPolice({ status: 'no-answer', ...nothing })).not.toEqual([]);
  });

  it('sees contact details where there is no hit', () => {
    const none = rightAnswers().find(({ status }) => status === 'not-known');
    const answers = rightAnswers().map((answer) =>
      answer.register === none?.register ? { ...answer, contact: { name: 'Team' } } : answer,
    );
    expect(compare(city, person, TOKEN_TYPES, [], answers)).toEqual([
      `${none?.register} gave a wrong contact`,
    ]);
  });

  it('sees a register that is missing, unknown, or there twice', () => {
    const answers = rightAnswers();
    const [first] = answers;
    if (first === undefined) throw new RangeError('no registers');
    expect(compare(city, person, TOKEN_TYPES, [], answers.slice(1))).toEqual([
      `${first.register} is missing`,
    ]);
    expect(compare(city, person, TOKEN_TYPES, [], [...answers, first])).toHaveLength(1);
    expect(compare(city, person, TOKEN_TYPES, [], [...answers, { ...first, register: 'x/y' }])).toHaveLength(
      1,
    );
  });
});

describe('a person as the demo asks about him or her', () => {
  it('has only the tokens that the asker has, and no empty fields', () => {
    expect(asked(person, '1', ['bsn'])).toEqual({ ref: '1', bsn: person.bsn });
    const everything = JSON.stringify(asked({ ...person, prefix: '' }, '1', TOKEN_TYPES));
    expect(everything).not.toContain('""');
    expect(Object.keys(asked(person, '1', ['address']))).toEqual(['ref', 'address']);
  });
});
