import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import type { RunningAgency } from './federation.ts';
import { asked, lookupBody } from './lookup.ts';
import type { Population, Resident } from './population/index.ts';
import {
  TOKEN_TYPES,
  expectedRegisters,
  fullName,
  readableDate,
  scriptedPersons,
} from './population/index.ts';
import type { Service } from './processes.ts';
import type { Workspace } from './workspace.ts';

/** A question to try: its body is written to a file that curl can send. */
interface Suggestion {
  readonly title: string;
  readonly file: string;
  readonly persons: readonly Resident[];
}

/** The screen on which the demo stays: where everything listens, and what to try. */
export function welcome(
  population: Population,
  gateway: Service,
  agents: readonly RunningAgency[],
  workspace: Workspace,
  out: NodeJS.WriteStream,
): string {
  const strong = (text: string): string => styleText('bold', text, { stream: out });
  const faint = (text: string): string => styleText('dim', text, { stream: out });
  const suggestions = suggest(population);
  const folder = join(workspace.path, 'try');
  mkdirSync(folder, { recursive: true });
  for (const { file, persons } of suggestions) {
    const body = lookupBody(persons.map((person, index) => asked(person, String(index + 1), TOKEN_TYPES)));
    writeFileSync(join(folder, file), `${JSON.stringify(body, undefined, 2)}\n`);
  }
  const [asker] = agents;
  const here = (path: string): string => relative(process.cwd(), path) || '.';

  return [
    '',
    `  ${strong('Waalstad is up.')} An invented city, ${population.residents.length} invented residents.`,
    '',
    `  ${gateway.url}  ${strong('Gateway')} ${faint('learns nothing about whom you ask')}`,
    ...agents.map(
      ({ agency, service }) =>
        `  ${service.url}  ${strong(agency.name)} ${faint(agency.registers.map(({ name }) => name).join(', '))}`,
    ),
    '',
    `  ${strong('Some people to try')}`,
    ...suggestions.flatMap(({ title, persons, file }) => [
      `  ${title} ${faint(`(${here(join(folder, file))})`)}`,
      ...persons.map((person) => {
        const known = expectedRegisters(population, person).length;
        const born = readableDate(person.birthDate);
        return `    ${person.bsn}  ${fullName(person)}, ${born} ${faint(`known to ${known === 0 ? 'no register' : `${known} of 10 registers`}`)}`;
      }),
    ]),
    '',
    `  ${strong('Ask')} ${faint(`as ${asker?.agency.name ?? ''}; change the port and the folder to ask as another agency`)}`,
    ...(asker === undefined || suggestions[0] === undefined
      ? []
      : [
          '',
          `curl -s ${asker.service.url}/v1/lookups -H "Authorization: Bearer $(cat ${here(join(workspace.of(asker.agency.id), 'api-key'))})" \\`,
          `  -H 'Content-Type: application/json' -d @${here(join(folder, suggestions[0].file))}`,
        ]),
    '',
    `  ${faint(`Logs: ${here(join(workspace.path, 'logs'))}. Stop an agent (its process id is in its log) and see who no longer answers.`)}`,
    `  ${strong('Ctrl-C')} stops everything.`,
    '',
  ].join('\n');
}

function suggest(population: Population): Suggestion[] {
  const { knownToThree, knownToNone, household } = scriptedPersons(population);
  return [
    { title: 'Known to three agencies', file: 'known-to-three.json', persons: [knownToThree] },
    { title: 'Known to nobody', file: 'known-to-nobody.json', persons: [knownToNone] },
    { title: 'A household of five', file: 'household.json', persons: household.members },
  ];
}
