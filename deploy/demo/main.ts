import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { repeatPilot } from './batch.ts';
import type { DeskAddresses } from './agent-settings.ts';
import { DESK_AGENCY, PROVIDER_PLACE, deskAddresses, startProvider } from './desk.ts';
import { visitDesk } from './desk-visit.ts';
import type { PortOf, RunningAgency } from './federation.ts';
import {
  describeSetUp,
  enrolAgencies,
  importClients,
  makeGateway,
  startAgent,
  startAgents,
  startGateway,
} from './federation.ts';
import type { Options } from './options.ts';
import { USAGE, readOptions } from './options.ts';
import { expectedRegisters, makePopulation, scriptedPersons } from './population/index.ts';
import type { Population } from './population/index.ts';
import { freePort, requireFreePorts } from './ports.ts';
import type { Service } from './processes.ts';
import { DemoError, Processes } from './processes.ts';
import { perform } from './script.ts';
import { drawTable } from './table.ts';
import { welcome } from './welcome.ts';
import { Workspace } from './workspace.ts';

const SEED = 2026;
const HOME = fileURLToPath(new URL('../..', import.meta.url));
const PARENT_POLL_MS = 500;
const out = process.stdout;

/** Ends with the exit code: 0 when all went well, 1 when something was wrong, 130 when broken off. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), HOME);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const interrupted = Promise.withResolvers<number>();
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  let up = false;
  const processes = new Processes((service, error) => {
    // While the city is up, it goes on without an agency, as a real one would; not without its gateway.
    if (up && service !== 'gateway')
      console.error(`\n${error.message}\nThe others go on: ask, and see "no-answer".`);
    else died.reject(error);
  });
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (++signals === 1) interrupted.resolve(up ? 0 : 130);
      else processes.killAll();
    });

  const parent = process.ppid;
  // npm that is told to end takes its shell along, but not us.
  const watch = setInterval(() => {
    if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent) interrupted.resolve(130);
  }, PARENT_POLL_MS).unref();

  const workspace = new Workspace(
    options.once ? mkdtempSync(join(tmpdir(), 'hitmachine-demo-')) : options.directory,
  );
  const show = options.once
    ? runOnce(processes, workspace)
    : runUntilStopped(options, processes, workspace, () => {
        up = true;
      });
  show.catch(() => undefined);
  try {
    return await Promise.race([interrupted.promise, died.promise, show]);
  } catch (error) {
    if (!workspace.reused || up || !(error instanceof DemoError)) throw error;
    throw new DemoError(
      `${error.message}\n\nIs the data of an older version? npm start -- --fresh throws it away and starts again.`,
    );
  } finally {
    clearInterval(watch);
    if (signals > 0) console.log('\n  Stopping …');
    await processes.close();
    if (options.once) rmSync(workspace.path, { recursive: true, force: true });
  }
}

async function runOnce(processes: Processes, workspace: Workspace): Promise<number> {
  const started = performance.now();
  const population = makePopulation({ seed: SEED });
  workspace.prepare('', true);
  const desk = deskAddresses(await freePort(), await freePort());
  const place = population.agencies.findIndex(({ id }) => id === DESK_AGENCY) + 1;
  const portOf: PortOf = (index) => (index === place ? Number(new URL(desk.baseUrl).port) : 0);
  const running = { processes, workspace, population, portOf, desk, out };
  const { agents } = await bringUp(running);
  const byId = new Map(agents.map((agent) => [agent.agency.id, agent]));
  const agent = (id: string): RunningAgency => {
    const found = byId.get(id);
    if (found === undefined) throw new DemoError(`there is no agency ${id}`);
    return found;
  };
  const {
    scenes,
    wrong: wrongScenes,
    compared,
  } = await perform(population, {
    agent,
    kill: (id) => agent(id).service.kill(),
    restart: async (id) => {
      byId.set(id, await startAgent(running, agent(id).agency));
    },
  });
  const pilot = await repeatPilot(processes, population, workspace);
  const wrong = [...wrongScenes, ...pilot.wrong];
  console.log(`\n${drawTable(population, scenes, out)}\n`);
  wrong.push(...(await askAtDesk(population, desk.baseUrl)));
  console.log(
    `  ${pilot.households} households with ${pilot.persons} persons, asked at three registers in one batch: ` +
      `${pilot.nowhere} known nowhere, in ${pilot.seconds.toFixed(1)} s\n`,
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (wrong.length === 0) {
    console.log(
      `  ${styleText('green', '✔')} ${scenes.length} lookups, ${compared} answers, all right, in ${seconds} s\n`,
    );
    return 0;
  }
  console.error(`  ${styleText('red', '✘')} ${wrong.length} of ${compared} answers were not right:`);
  for (const complaint of wrong) console.error(`    ${complaint}`);
  return 1;
}

/** A professional logs in at the desk and asks, as with a browser; gives what was not right. */
async function askAtDesk(population: Population, baseUrl: string): Promise<string[]> {
  const { knownToThree } = scriptedPersons(population);
  const { known, milliseconds } = await visitDesk(baseUrl, 'jansen', knownToThree);
  const right = expectedRegisters(population, knownToThree, ['bsn']).length;
  console.log(
    `  At the desk: logged in, asked, known to ${known} registers, ${milliseconds.toFixed(0)} ms\n`,
  );
  return known === right ? [] : [`at the desk known to ${known} registers, but ${right} is right`];
}

async function runUntilStopped(
  { port, directory, fresh }: Options,
  processes: Processes,
  workspace: Workspace,
  onUp: () => void,
): Promise<number> {
  await requireFreePorts(port);
  const population = makePopulation({ seed: SEED });
  const portOf: PortOf = (index) => port + index;
  const place = population.agencies.findIndex(({ id }) => id === DESK_AGENCY) + 1;
  const desk = deskAddresses(portOf(place), portOf(PROVIDER_PLACE));
  const setUp = describeSetUp(population, portOf, desk);
  workspace.prepare(setUp, fresh);
  if (workspace.reused) console.log(`  Using what is in ${directory}; --fresh starts again from nothing.`);
  const { gateway, agents } = await bringUp({ processes, workspace, population, portOf, desk, out }, () => {
    workspace.complete(setUp);
  });
  onUp();
  console.log(welcome(population, gateway, agents, workspace, desk, out));
  return Promise.withResolvers<number>().promise;
}

/** The gateway and all agencies, ready to answer; set up first unless that was done before. */
async function bringUp(
  running: {
    readonly processes: Processes;
    readonly workspace: Workspace;
    readonly population: Population;
    readonly portOf: PortOf;
    readonly desk: DeskAddresses;
    readonly out: NodeJS.WriteStream;
  },
  onSetUp: () => void = () => undefined,
): Promise<{ gateway: Service; agents: RunningAgency[] }> {
  if (!running.workspace.reused) await makeGateway(running);
  await startProvider(running.processes, running.workspace, running.desk);
  const gateway = await startGateway(running);
  if (!running.workspace.reused) {
    await enrolAgencies(running, gateway);
    await importClients(running);
    onSetUp();
  }
  return { gateway, agents: await startAgents(running) };
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof DemoError;
  console.error(`\n${expected ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
