import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeskAddresses } from './agent-settings.ts';
import { agentSettings } from './agent-settings.ts';
import { DESK_AGENCY, writeClientSecret } from './desk.ts';
import { inParallel } from './parallel.ts';
import type { Agency, Population, Register } from './population/index.ts';
import { toCsv } from './population/index.ts';
import type { Processes, Service } from './processes.ts';
import { DemoError } from './processes.ts';
import { ProgressBar } from './progress-bar.ts';
import type { Workspace } from './workspace.ts';

const FEDERATION = 'waalstad';
/** What the city agreed on, in the place of the example that `hit-gateway init` writes. */
const POLICY = new URL('policy.yaml', import.meta.url);
/** Two cores are what we count on; more at once would only make everything wait. */
const AT_ONCE = 2;
const READY_MS = 120_000;
const READY_POLL_MS = 250;

/** Where everything listens: the first is the gateway's port, 0 takes a free one. */
export type PortOf = (index: number) => number;

interface Running {
  readonly processes: Processes;
  readonly workspace: Workspace;
  readonly population: Population;
  readonly portOf: PortOf;
  readonly desk: DeskAddresses;
  readonly out: NodeJS.WriteStream;
}

/** An agency whose agent is up. */
export interface RunningAgency {
  readonly agency: Agency;
  readonly service: Service;
  /** Bearer key of its own API. */
  readonly apiKey: string;
}

const address = (port: number): string => `127.0.0.1:${port}`;

/** agent.yaml of an agency; one of them has a desk. */
const settingsOf = (agency: Agency, port: number, desk: DeskAddresses): string =>
  agentSettings(agency, address(port), agency.id === DESK_AGENCY ? desk : undefined);

/** Everything that a set-up depends on: when it changes, the set-up is done again. */
export function describeSetUp(population: Population, portOf: PortOf, desk: DeskAddresses): string {
  const agencies = population.agencies.map((agency, index) => [
    settingsOf(agency, portOf(index + 1), desk),
    ...agency.registers.map(toCsv),
  ]);
  return JSON.stringify([portOf(0), readFileSync(POLICY, 'utf8'), agencies]);
}

/** Makes the gateway's folder: its keys, settings, policy and database. */
export async function makeGateway({ processes, workspace, portOf }: Running): Promise<void> {
  const where = ['--dir', workspace.of('gateway'), '--listen', address(portOf(0))];
  await processes.run('gateway', ['init', '--federation', FEDERATION, ...where]);
  copyFileSync(POLICY, join(workspace.of('gateway'), 'policy.yaml'));
}

export async function startGateway({ processes, workspace }: Running): Promise<Service> {
  return processes.serve('gateway', ['--dir', workspace.of('gateway')], 'gateway', workspace.log('gateway'));
}

/** Invites every agency, makes its folder and enrols it, as its administrators would. */
export async function enrolAgencies(running: Running, gateway: Service): Promise<void> {
  const { processes, workspace, population, portOf, desk, out } = running;
  const bar = new ProgressBar(out, 'Agencies enrolled', population.agencies.length);
  let done = 0;
  await inParallel(AT_ONCE, [...population.agencies.entries()], async ([index, agency]) => {
    const clients = agency.registers.reduce((sum, register) => sum + register.clients.length, 0);
    const token = await processes.run('gateway', [
      ...['agency', 'add', agency.id, '--name', agency.name, '--kind', agency.kind],
      ...['--clients', String(Math.ceil(clients / 100) * 100), '--dir', workspace.of('gateway')],
    ]);
    const directory = workspace.of(agency.id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const settings = settingsOf(agency, portOf(index + 1), desk);
    writeFileSync(join(directory, 'agent.yaml'), settings, { mode: 0o600 });
    if (agency.id === DESK_AGENCY) writeClientSecret(directory);
    await processes.run('agent', ['init', '--dir', directory]);
    const tokenFile = join(directory, 'enrolment-token');
    writeFileSync(tokenFile, token, { mode: 0o600 });
    await processes.run('agent', [
      ...['enrol', '--gateway', gateway.url],
      ...['--token-file', tokenFile, '--dir', directory],
    ]);
    rmSync(tokenFile);
    bar.show(++done, agency.name);
  });
  bar.finish();
}

/** Imports every register from a CSV file; the files stay, to be looked at. */
export async function importClients({ processes, workspace, population, out }: Running): Promise<void> {
  const registers = population.agencies.flatMap((agency) => agency.registers);
  const total = registers.reduce((sum, { clients }) => sum + clients.length, 0);
  const bar = new ProgressBar(out, 'Clients imported', total);
  const done = new Map<Register, number>();
  const show = (register: Register, clients: number): void => {
    done.set(register, clients);
    const sum = [...done.values()].reduce((a, b) => a + b, 0);
    bar.show(Math.round(sum), register.name);
  };
  const importOne = async (agency: Agency, register: Register): Promise<void> => {
    const directory = workspace.of(agency.id);
    const file = join(directory, `${register.id}.csv`);
    writeFileSync(file, toCsv(register), { mode: 0o600 });
    const flags = ['--register', register.id, '--dir', directory, '--progress', 'json', '--json'];
    const clients = register.clients.length;
    const output = await processes.run('agent', ['import', file, ...flags], (line) => {
      const share = progressOf(line);
      if (share !== undefined) show(register, share * clients);
    });
    const result = JSON.parse(output.split('\n').at(-1) ?? '') as { clients?: unknown };
    if (result.clients !== clients)
      throw new DemoError(`${register.path}: not all ${clients} clients were imported`);
    show(register, clients);
    bar.step(`${clients}, ${agency.name}, ${register.name}`);
  };
  // The municipality comes first, because its three registers take as long as all the others together.
  await inParallel(AT_ONCE, population.agencies, async (agency) => {
    for (const register of agency.registers) await importOne(agency, register);
  });
  bar.finish();
}

/** The share that is done, 0–1, when the line tells of progress. */
function progressOf(line: string): number | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event, done, total } = JSON.parse(line) as { event?: unknown; done?: unknown; total?: unknown };
  return event === 'progress' && typeof done === 'number' && typeof total === 'number' && total > 0
    ? done / total
    : undefined;
}

/** Starts every agent and waits until all of them can answer. */
export async function startAgents(running: Running): Promise<RunningAgency[]> {
  const { population, out } = running;
  const bar = new ProgressBar(out, 'Agencies ready', population.agencies.length);
  let done = 0;
  const agents = await inParallel(population.agencies.length, population.agencies, async (agency) => {
    const agent = await startAgent(running, agency);
    bar.show(++done, agency.name);
    return agent;
  });
  bar.finish();
  return agents;
}

/** Starts one agent and waits until it can answer: connected, tables loaded, canaries back. */
export async function startAgent({ processes, workspace }: Running, agency: Agency): Promise<RunningAgency> {
  const directory = workspace.of(agency.id);
  const service = await processes.serve('agent', ['--dir', directory], agency.id, workspace.log(agency.id));
  const apiKey = readFileSync(join(directory, 'api-key'), 'utf8').trim();
  await waitUntilReady(service);
  return { agency, service, apiKey };
}

async function waitUntilReady({ url, label }: Service): Promise<void> {
  const deadline = performance.now() + READY_MS;
  let reason = 'it gave no answer';
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      reason = await response.text();
      if (response.ok) return;
    } catch (error) {
      reason = (error as Error).message;
    }
    await sleep(READY_POLL_MS);
  }
  throw new DemoError(`${label} was not ready within ${READY_MS / 1000} seconds: ${reason}`);
}
