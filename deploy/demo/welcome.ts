import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import type { DeskAddresses } from './agent-settings.ts';
import { LOGINS } from './desk.ts';
import type { RunningAgency } from './federation.ts';
import { CASE, PROFESSIONAL, PURPOSE, ROLE, asked, lookupBody } from './lookup.ts';
import type { Population, Resident } from './population/index.ts';
import {
  TOKEN_TYPES,
  expectedRegisters,
  fullName,
  readableDate,
  scriptedPersons,
} from './population/index.ts';
import type { Service } from './processes.ts';
import { COLUMNS, wrap } from './screen.ts';
import type { Workspace } from './workspace.ts';

/** A question to try. */
interface Suggestion {
  readonly title: string;
  readonly name: string;
  readonly persons: readonly Resident[];
}

/** The files of a suggestion, as they are named on a command line. */
interface TryFiles {
  /** For `hit-agent lookup`: the persons. */
  readonly persons: string;
  /** For curl: the body of the request. */
  readonly request: string;
}

/**
 * The screen on which the demo stays: where everything listens, and what to try. It fits a terminal of 80 columns and
 * can be read without colours; only a command with a long path may be wider.
 */
export function welcome(
  population: Population,
  gateway: Service,
  agents: readonly RunningAgency[],
  workspace: Workspace,
  desk: DeskAddresses,
  out: NodeJS.WriteStream,
): string {
  const strong = (text: string): string => styleText('bold', text, { stream: out });
  const suggestions = suggest(population).map((suggestion) => ({
    ...suggestion,
    files: writeFiles(join(workspace.path, 'try'), suggestion),
  }));
  const [asker] = agents;
  const [first] = suggestions;
  return [
    '',
    `  ${strong('Waalstad is up.')} An invented city, ${population.residents.length} invented residents.`,
    '',
    ...addressLines(gateway.url, 'Gateway', 'learns nothing about whom you ask', strong),
    ...agents.flatMap(({ agency: { name, registers }, service }) =>
      addressLines(service.url, name, registers.map((register) => register.name).join(', '), strong),
    ),
    '',
    `  ${strong("The professional's desk")}: ${desk.baseUrl}/desk`,
    '  Log in with any password as one of',
    ...Object.entries(LOGINS).map(([login, { name, is }]) => `    ${login.padEnd(8)} ${name}, ${is}`),
    '',
    `  ${strong('Some people to try')}, and how many of the ten registers know them`,
    ...suggestions.flatMap(({ title, persons, files }) => [
      '',
      `  ${title}: ${files.persons}`,
      ...persons.map((person) => `    ${describe(population, person)}`),
    ]),
    ...(asker === undefined || first === undefined ? [] : commands(asker, first.files, workspace, strong)),
    '',
    `  Logs: ${here(join(workspace.path, 'logs'))}. Stop an agent (its process id is in its log)`,
    '  and see who no longer answers.',
    `  ${strong('Ctrl-C')} stops everything.`,
    '',
  ].join('\n');
}

const here = (path: string): string => quoted(relative(process.cwd(), path) || '.');

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

function addressLines(url: string, name: string, text: string, strong: (text: string) => string): string[] {
  const indent = url.length + 4;
  const [first = '', ...rest] = wrap(`${name}: ${text}`, COLUMNS - indent);
  // Painted after wrapping: the codes of a colour have no width on the screen.
  return [
    `  ${url}  ${first.replace(name, strong(name))}`,
    ...rest.map((line) => `${' '.repeat(indent)}${line}`),
  ];
}

function describe(population: Population, person: Resident): string {
  const known = expectedRegisters(population, person).length;
  const places = known === 0 ? 'known to none' : `known to ${known}`;
  return `${person.bsn}  ${fullName(person)}, ${readableDate(person.birthDate)}, ${places}`;
}

function commands(
  { agency, service }: RunningAgency,
  files: TryFiles,
  workspace: Workspace,
  strong: (text: string) => string,
): string[] {
  return [
    '',
    `  ${strong(`Ask as ${agency.name}`)}; change the folder to ask as another agency:`,
    '',
    `npx hit-agent lookup ${files.persons} \\`,
    `  --dir ${here(workspace.of(agency.id))} --purpose ${PURPOSE} \\`,
    `  --case ${CASE} --role ${ROLE} --confirm all \\`,
    `  --professional ${PROFESSIONAL}`,
    '',
    '  The same as a case system asks it; change the address as well:',
    '',
    `curl -s ${service.url}/v1/lookups \\`,
    `  -H "Authorization: Bearer $(cat ${here(join(workspace.of(agency.id), 'api-key'))})" \\`,
    `  -H 'Content-Type: application/json' -d @${files.request}`,
  ];
}

function writeFiles(folder: string, { name, persons }: Suggestion): TryFiles {
  mkdirSync(folder, { recursive: true });
  const bodies = persons.map((person, index) => asked(person, String(index + 1), TOKEN_TYPES));
  const write = (file: string, content: unknown): string => {
    writeFileSync(join(folder, file), `${JSON.stringify(content, undefined, 2)}\n`);
    return here(join(folder, file));
  };
  return {
    persons: write(`${name}.json`, bodies),
    request: write(`${name}.request.json`, lookupBody(bodies)),
  };
}

function suggest(population: Population): Suggestion[] {
  const { knownToThree, knownToNone, household } = scriptedPersons(population);
  return [
    { title: 'Known to three agencies', name: 'known-to-three', persons: [knownToThree] },
    { title: 'Known to nobody', name: 'known-to-nobody', persons: [knownToNone] },
    { title: 'A household of five', name: 'household', persons: household.members },
  ];
}
