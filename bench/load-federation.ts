import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Federation } from '../test/harness/federation.ts';
import type { TestPerson } from '../test/harness/agency.ts';
import { validNumbers } from '../test/properties/support/waalstad.ts';
import type { Running } from './load-processes.ts';
import { serve } from './load-processes.ts';

/** The agency that asks; it has no registers, and its agent does not run: the load takes its place. */
export const ASKER = 'asker';
export const REGISTER = 'cases';
export const TOKEN_TYPES = ['bsn', 'name+birthdate'] as const;
/** People that every register knows. */
const KNOWN_EVERYWHERE = 40;
const FIRST_NUMBER = 200_000_000;
const READY_MS = 120_000;

export const nodeName = (i: number): string => `node-${i + 1}`;

/** Stores that replicas of a gateway share; without them there is one gateway with SQLite. */
export interface SharedStores {
  /** Address of the database, for every replica. */
  readonly postgres: string;
  readonly redis: string;
}

export interface LoadOptions {
  readonly nodes: number;
  /** Clients of each register. */
  readonly clients: number;
  readonly replicas?: number;
  readonly stores?: SharedStores;
}

/**
 * A federation of the real programs, each a process of its own: gateway replicas with their log on the disk, and agents
 * with filled registers. What is set up beforehand is done in this process, which saves time.
 */
export class LoadFederation {
  readonly people: readonly TestPerson[];
  readonly gateways: Running[] = [];
  readonly agents: Running[] = [];
  readonly #setUp: Federation;
  readonly #options: LoadOptions;
  readonly #listen: readonly string[];

  private constructor(
    setUp: Federation,
    options: LoadOptions,
    people: readonly TestPerson[],
    listen: readonly string[],
  ) {
    this.#setUp = setUp;
    this.#options = options;
    this.people = people;
    this.#listen = listen;
  }

  /** Makes everything, with all registers imported; starts the gateways, and no agent yet. */
  static async make(options: LoadOptions): Promise<LoadFederation> {
    // Neither the threads of an import nor what they wait for keep this process from ending.
    const awake = setInterval(() => undefined, 1_000);
    try {
      return await LoadFederation.#make(options);
    } finally {
      clearInterval(awake);
    }
  }

  static async #make(options: LoadOptions): Promise<LoadFederation> {
    const people = inventedPeople(KNOWN_EVERYWHERE + options.nodes * options.clients + KNOWN_EVERYWHERE);
    const listen = await Promise.all(Array.from({ length: options.replicas ?? 1 }, freeAddress));
    const names = Array.from({ length: options.nodes }, (_, i) => nodeName(i));
    const setUp = await Federation.start({
      agencies: {
        ...Object.fromEntries(names.map((name) => [name, [{ id: REGISTER, tokenTypes: TOKEN_TYPES }]])),
        [ASKER]: [],
      },
      port: Number((listen[0] as string).split(':')[1]),
      nodeQuota: 1e9,
      nodeQuotaOfAll: 1e9,
      ...(options.stores !== undefined && sharing(options.stores)),
    });
    const federation = new LoadFederation(setUp, options, people, listen);
    try {
      for (const [i, name] of names.entries())
        await setUp.agency(name).import(REGISTER, federation.#clientsOf(i));
      await setUp.stopGateway();
      mkdirSync(join(setUp.folder, 'logs'));
      for (const [i, address] of listen.entries()) await federation.#startGateway(i, address);
      if (listen.length > 1) federation.#tellOfReplicas(names);
      return federation;
    } catch (error) {
      await federation.close();
      throw error;
    }
  }

  get folder(): string {
    return this.#setUp.folder;
  }

  /** Starts agents until so many run, and waits until each can answer. */
  async startAgents(count: number): Promise<void> {
    for (let i = this.agents.length; i < count; i++) {
      const where = ['--dir', join(this.folder, nodeName(i))];
      this.agents.push(await serve('agent', nodeName(i), where, this.#log(nodeName(i))));
    }
    for (const [i, agent] of this.agents.entries()) await ready(agent, join(this.folder, nodeName(i)));
  }

  /** The registers that know one of `people`, by the number of their node. */
  isKnown(person: number, node: number): boolean {
    if (person < KNOWN_EVERYWHERE) return true;
    return Math.floor((person - KNOWN_EVERYWHERE) / this.#options.clients) === node;
  }

  async close(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.stop()));
    await Promise.all(this.gateways.map((gateway) => gateway.stop()));
    await this.#setUp.close();
  }

  #clientsOf(node: number): TestPerson[] {
    const { clients } = this.#options;
    const from = KNOWN_EVERYWHERE + node * clients;
    return [...this.people.slice(0, KNOWN_EVERYWHERE), ...this.people.slice(from, from + clients)];
  }

  /** The first runs in the folder that was made, the others in copies: same keys, same stores. */
  async #startGateway(i: number, address: string): Promise<void> {
    const original = this.#setUp.gatewayFolder;
    const folder = i === 0 ? original : `${original}-${i + 1}`;
    if (i > 0) cpSync(original, folder, { recursive: true });
    const name = this.#listen.length === 1 ? 'gateway' : `gateway ${i + 1}`;
    const where = ['--dir', folder, '--listen', address];
    this.gateways.push(await serve('gateway', name, where, this.#log(name.replace(' ', '-'))));
  }

  /** Agents keep connections to all replicas that their settings name. */
  #tellOfReplicas(names: readonly string[]): void {
    const urls = JSON.stringify(this.gateways.map(({ url }) => url));
    for (const name of names)
      appendFileSync(join(this.folder, name, 'agent.yaml'), `\ngateway:\n  urls: ${urls}\n`);
  }

  #log(name: string): string {
    return join(this.folder, 'logs', `${name}.log`);
  }
}

/** PostgreSQL and Redis in gateway.yaml, their addresses in files beside it. */
function sharing({ postgres, redis }: SharedStores) {
  return {
    configure: (yaml: string): string =>
      `${yaml}\ndatabase:\n  postgres:\n    urlFile: postgres-url\nredis:\n  urlFile: redis-url\n`,
    prepare(folder: string): void {
      writeFileSync(join(folder, 'postgres-url'), postgres, { mode: 0o600 });
      writeFileSync(join(folder, 'redis-url'), redis, { mode: 0o600 });
    },
  };
}

/** People with a valid number and a name of their own. */
function inventedPeople(count: number): TestPerson[] {
  return validNumbers(FIRST_NUMBER, count).map((bsn, i) => ({
    bsn,
    surname: `Van ${letters(i)}`,
    givenNames: `${letters(7 * i + 3)}`,
    birthDate: `19${String(40 + (i % 60)).padStart(2, '0')}-0${1 + (i % 9)}-1${i % 10}`,
  }));
}

/** A number in letters, as digits are refused in names. */
const letters = (n: number): string =>
  `B${String(n).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] as string)}`;

async function ready({ url, name }: Running, folder: string): Promise<void> {
  const key = readFileSync(join(folder, 'api-key'), 'utf8').trim();
  const deadline = performance.now() + READY_MS;
  let said = '';
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/readyz`, { headers: { authorization: `Bearer ${key}` } });
    said = await response.text();
    if (response.ok) return;
    await delay(100);
  }
  throw new Error(`${name} does not get ready: ${said}`);
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}
