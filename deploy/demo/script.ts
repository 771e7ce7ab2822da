import type { LookupAnswer, RegisterAnswer } from './lookup.ts';
import { asked, lookUp, refusalFor } from './lookup.ts';
import type { Population, Resident, TokenType } from './population/index.ts';
import { TOKEN_TYPES, expectedRegisters, scriptedPersons } from './population/index.ts';
import type { RunningAgency } from './federation.ts';
import { DemoError } from './processes.ts';

/** One line of the table: a person, what each register said, and whether that was right. */
export interface AnsweredPerson {
  readonly person: Resident;
  readonly answers: readonly RegisterAnswer[];
}

export interface Scene {
  readonly title: string;
  readonly asker: string;
  readonly persons: readonly AnsweredPerson[];
  readonly milliseconds: number;
  /** Where the question itself was refused: the rule, in words. */
  readonly refused?: string;
}

/** What came out of the script; `wrong` is empty when every answer was right. */
export interface Performance {
  readonly scenes: readonly Scene[];
  readonly wrong: readonly string[];
  /** Answers that were compared with the model. */
  readonly compared: number;
}

interface Question {
  readonly title: string;
  /** Identifier of the agency that asks. */
  readonly asker: string;
  readonly persons: readonly Resident[];
  readonly tokens?: readonly TokenType[];
  /** How the asker writes the person; as the registers do when absent. */
  readonly spelling?: (person: Resident) => Resident;
  /** Agencies that cannot answer. */
  readonly away?: readonly string[];
}

/** What the script does to the agency that falls silent, and with it back again. */
export interface Stage {
  agent(id: string): RunningAgency;
  kill(id: string): Promise<void>;
  restart(id: string): Promise<void>;
}

const SILENT = 'politie';
/** A question that the policy of the city does not allow: who asks, for what, and the rule that says so. */
const NOT_ALLOWED = { asker: 'woningcorporatie', purpose: 'huiselijk-geweld', rule: 'agency-kind' } as const;

/** Asks everything that the demo has to show and compares every answer with the plain model. */
export async function perform(population: Population, stage: Stage): Promise<Performance> {
  const { knownToThree, knownToNone, household, byNameAlone } = scriptedPersons(population);
  const scenes: Scene[] = [];
  const wrong: string[] = [];
  let compared = 0;
  const ask = async (question: Question): Promise<void> => {
    const { scene, complaints } = await play(population, stage.agent(question.asker), question);
    scenes.push(scene);
    wrong.push(...complaints);
    compared += scene.persons.reduce((sum, { answers }) => sum + answers.length, 0);
  };

  const municipality = 'gemeente-waalstad';
  await ask({ title: 'Known to three agencies', asker: municipality, persons: [knownToThree] });
  await ask({
    title: 'The same person again',
    asker: 'reclassering',
    persons: [knownToThree],
  });
  await ask({ title: 'Known to nobody', asker: 'veilig-thuis', persons: [knownToNone] });
  await ask({ title: 'A household of five', asker: municipality, persons: household.members });
  await ask({
    title: 'No number, plain capitals, year of birth only',
    asker: 'ggz-waalstad',
    persons: [byNameAlone],
    tokens: ['name+birthdate'],
    spelling: inPlainCapitals,
  });
  const { scene, complaints } = await askWhatIsNotAllowed(stage.agent(NOT_ALLOWED.asker), knownToThree);
  scenes.push(scene);
  wrong.push(...complaints);
  await stage.kill(SILENT);
  await ask({
    title: 'The police agent was killed',
    asker: municipality,
    persons: [knownToThree],
    away: [SILENT],
  });
  await stage.restart(SILENT);
  await ask({ title: 'The police agent is back', asker: municipality, persons: [knownToThree] });
  return { scenes, wrong, compared };
}

/** The question is refused before it leaves the agency, by the rule that it must be. */
async function askWhatIsNotAllowed(
  { agency, service, apiKey }: RunningAgency,
  person: Resident,
): Promise<{ scene: Scene; complaints: string[] }> {
  const title = 'What only Veilig Thuis may ask';
  const started = performance.now();
  const persons = [asked(person, '1', TOKEN_TYPES)];
  const refusal = await refusalFor(service.url, apiKey, persons, NOT_ALLOWED.purpose);
  const milliseconds = performance.now() - started;
  const { rule, detail } = refusal ?? { rule: 'none', detail: 'it was answered' };
  return {
    scene: { title, asker: agency.name, persons: [], milliseconds, refused: `${rule}: ${detail}` },
    complaints:
      rule === NOT_ALLOWED.rule ? [] : [`${title}: refused by "${rule}", but "${NOT_ALLOWED.rule}" is right`],
  };
}

async function play(
  population: Population,
  { agency, service, apiKey }: RunningAgency,
  { title, persons, tokens = TOKEN_TYPES, spelling = (person) => person, away = [] }: Question,
): Promise<{ scene: Scene; complaints: string[] }> {
  const bodies = persons.map((person, index) => asked(spelling(person), String(index + 1), tokens));
  const answer = await lookUp(service.url, apiKey, bodies);
  const complaints: string[] = [];
  if (answer.complete !== (away.length === 0))
    complaints.push(`${title}: the answer says that it is ${answer.complete ? '' : 'not '}complete`);
  const answered = persons.map((person, index): AnsweredPerson => {
    const answers = answersFor(answer, String(index + 1));
    const label = `${title}, person ${index + 1}`;
    complaints.push(
      ...compare(population, person, tokens, away, answers).map((complaint) => `${label}: ${complaint}`),
    );
    return { person, answers };
  });
  if (answer.persons.length !== persons.length)
    complaints.push(`${title}: ${answer.persons.length} persons answered`);
  return {
    scene: { title, asker: agency.name, persons: answered, milliseconds: answer.milliseconds },
    complaints,
  };
}

function answersFor(answer: LookupAnswer, ref: string): readonly RegisterAnswer[] {
  const person = answer.persons.find((other) => other.ref === ref);
  if (person === undefined) throw new DemoError(`the answer says nothing about person ${ref}`);
  return person.registers;
}

/** Every difference between what came back and what the model says, one sentence each. */
export function compare(
  population: Population,
  person: Resident,
  tokens: readonly TokenType[],
  away: readonly string[],
  answers: readonly RegisterAnswer[],
): string[] {
  const hits = new Map(
    expectedRegisters(population, person, tokens).map((hit) => [hit.register.path, hit.matchedOn]),
  );
  const registers = population.agencies.flatMap((agency) =>
    agency.registers.map((register) => ({ register, away: away.includes(agency.id) })),
  );
  const paths = registers.map(({ register }) => register.path);
  const surplus = answers.filter(
    ({ register }, i) =>
      !paths.includes(register) || answers.findIndex((other) => other.register === register) !== i,
  );
  return [
    ...surplus.map(({ register }) => `${register} should not be there, or not twice`),
    ...registers.flatMap(({ register, away: silent }) => {
      const answer = answers.find((other) => other.register === register.path);
      if (answer === undefined) return [`${register.path} is missing`];
      const matchedOn = silent ? [] : (hits.get(register.path) ?? []);
      const status = silent ? 'no-answer' : matchedOn.length > 0 ? 'known' : 'not-known';
      const said = wording(answer.status, answer.matchedOn);
      const why = answer.reason === undefined ? '' : ` (${answer.reason})`;
      const right = wording(status, matchedOn);
      const contact = status === 'known' ? JSON.stringify(sorted(register.contact)) : undefined;
      const given = answer.contact === undefined ? undefined : JSON.stringify(sorted(answer.contact));
      return [
        ...(said === right ? [] : [`${register.path} said "${said}"${why}, but "${right}" is right`]),
        ...(given === contact
          ? []
          : [`${register.path} gave ${given === undefined ? 'no' : 'a wrong'} contact`]),
      ];
    }),
  ];
}

function wording(status: string, matchedOn: readonly string[]): string {
  return [status, ...[...matchedOn].sort()].join(' ');
}

function sorted(fields: object): [string, unknown][] {
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** As an old system would have it: no diacritics, capitals, the prefix in front of the surname. */
function inPlainCapitals(person: Resident): Resident {
  const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase();
  return {
    ...person,
    givenNames: plain(person.givenNames),
    prefix: '',
    surname: plain(`${person.prefix} ${person.surname}`).trim(),
  };
}
