import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { replicaFolders } from '../harness/replicas.ts';
import { numbers } from '../node-agent/support/node.ts';
import { TestPostgres } from '../support/postgres.ts';
import { AgentProcess } from './agent-process.ts';
import { require } from './require.ts';

export const SHARED_REGISTER = 'zaken';
const NAME = `politie/${SHARED_REGISTER}`;
const RECOVERY_MS = 60_000;

/** A lookup of which the answer is known beforehand, and what came of it. */
interface Asked {
  readonly answered: boolean;
  /** `known`, `not-known`, or why there was none. */
  readonly outcome: string;
  readonly at: number;
}

/**
 * A gateway, PostgreSQL, and one agency, `politie`, with two replicas of its agent in processes of their own, which are
 * killed and stopped while another agency, `gemeente`, asks without a pause.
 */
export class ReplicasWorld {
  readonly clients = numbers(300, 240_000_000);
  readonly strangers = numbers(50, 290_000_000);
  readonly #server: TestPostgres;
  readonly #url: string;
  readonly #federation: Federation;
  readonly #folders: readonly string[];
  readonly #replicas: (AgentProcess | undefined)[] = [undefined, undefined];
  readonly #urls: string[] = [];
  readonly asked: Asked[] = [];
  #asking = true;
  #askers: Promise<void>[] = [];

  private constructor(server: TestPostgres, url: string, federation: Federation, folders: readonly string[]) {
    this.#server = server;
    this.#url = url;
    this.#federation = federation;
    this.#folders = folders;
  }

  /** Starts it all, with an imported register, and waits until both replicas are ready. */
  static async start(): Promise<ReplicasWorld> {
    const server = await TestPostgres.start();
    const federation = await Federation.start({ agencies: { gemeente: [] } });
    const url = await server.emptySchema();
    const agency = await federation.addAgency('politie', [{ id: SHARED_REGISTER, tokenTypes: ['bsn'] }]);
    const folders = await replicaFolders(federation, agency, { url });
    const world = new ReplicasWorld(server, url, federation, folders);
    await world.import(world.clients);
    await world.#asker.start();
    await Promise.all([world.serve(0), world.serve(1)]);
    return world;
  }

  get #asker(): TestAgency {
    return this.#federation.agency('gemeente');
  }

  /** Starts a replica and waits until it is ready. */
  async serve(which: number): Promise<void> {
    const folder = this.#folders[which] as string;
    const replica = new AgentProcess(folder, join(folder, 'no-clock'), 'serve', '--canary-seconds', '20');
    this.#replicas[which] = replica;
    const url = await replica.url();
    require(url !== undefined, `the replica does not start: ${replica.text}`);
    this.#urls[which] = url;
    const deadline = Date.now() + RECOVERY_MS;
    for (;;) {
      const response = await fetch(`${url}/readyz`).catch(() => undefined);
      if (response?.ok === true) return;
      require(Date.now() < deadline, `a replica does not get ready: ${(await response?.text()) ?? ''}`);
      await delay(100);
    }
  }

  replica(which: number): AgentProcess {
    const replica = this.#replicas[which];
    require(replica !== undefined, 'this replica was not started');
    return replica;
  }

  async kill(which: number): Promise<void> {
    await this.replica(which).kill();
  }

  /** Which replica leads: the one that said so last and runs. */
  leader(): number {
    return this.#replicas.findIndex(
      (replica) =>
        replica?.isRunning === true &&
        (/"event":"(leads|leads-no-longer)"(?![\s\S]*"event":"leads)/.exec(replica.text)?.[1] ?? '') ===
          'leads',
    );
  }

  /** Which one leads, once one does: after a death it takes the other some seconds. */
  async untilLed(): Promise<number> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const leader = this.leader();
      if (leader >= 0) return leader;
      require(Date.now() < deadline, 'none of the replicas leads');
      await delay(50);
    }
  }

  /** How often the replicas that ran until now wrote an event to their logs. */
  countEvents(event: string): number {
    return this.#replicas.reduce(
      (sum, replica) => sum + ((replica?.text.split(`"event":"${event}"`).length ?? 1) - 1),
      0,
    );
  }

  /** Imports a register whole, beside the replicas. */
  async import(bsns: readonly string[]): Promise<void> {
    const { code, text } = await this.beginImport(bsns).ended();
    require(code === 0, `the import failed: ${text}`);
  }

  beginImport(bsns: readonly string[], which = 0): AgentProcess {
    const folder = this.#folders[which] as string;
    const file = join(folder, 'clients.csv');
    writeFileSync(file, ['bsn', ...bsns, ''].join('\n'));
    const options = ['--register', SHARED_REGISTER, '--allow-shrink'];
    return new AgentProcess(folder, join(folder, 'no-clock'), 'import', file, ...options);
  }

  /** Asks about clients and strangers, several at a time, until {@link stopAsking}. */
  beginAsking(atOnce = 3): void {
    this.#asking = true;
    this.asked.length = 0;
    this.#askers = Array.from({ length: atOnce }, async (_, asker) => {
      for (let i = asker; this.#asking; i++) {
        await this.ask(i % 2 === 0 ? this.clients : this.strangers, i);
        await delay(10);
      }
    });
  }

  async stopAsking(): Promise<void> {
    this.#asking = false;
    await Promise.all(this.#askers);
  }

  /** Asks about one of them. Throws when silence or a fault is shown as a wrong answer. */
  async ask(among: readonly string[], i = 0): Promise<string> {
    const at = Date.now();
    const result = await this.#asker.lookup([{ bsn: among[i % among.length] as string }], {
      registers: [NAME],
    });
    const { status = 'missing', reason } = result.persons[0]?.registers[0] ?? {};
    const wrong = among === this.strangers ? 'known' : 'not-known';
    require(among !== this.clients || status !== wrong, 'a wrong answer: a client is not known');
    require(among !== this.strangers || status !== wrong, 'a wrong answer: a stranger is known');
    const outcome = reason === undefined ? status : `${status} (${reason})`;
    this.asked.push({ answered: status === 'known' || status === 'not-known', outcome, at });
    return outcome;
  }

  /** Waits until a client who was just imported is known; gives for how many milliseconds that took. */
  async untilKnown(bsn: string): Promise<number> {
    const since = Date.now();
    while ((await this.ask([bsn])) !== 'known') {
      require(Date.now() - since < RECOVERY_MS, 'who was imported does not become known');
      await delay(200);
    }
    return Date.now() - since;
  }

  /**
   * What came of the lookups, in words. Throws when one was lost for a reason other than those allowed, when the log has
   * an answer twice or not at all, or when its chain does not hold.
   */
  async outcome(allowed: RegExp = /^$/): Promise<string> {
    const missing = this.asked.filter(({ answered }) => !answered);
    const lost = missing.filter(({ outcome }) => !allowed.test(outcome));
    require(this.asked.length > 20, `only ${this.asked.length} lookups were asked`);
    require(lost.length ===
      0, `${lost.length} of ${this.asked.length} lookups were lost: ${[...new Set(lost.map(({ outcome }) => outcome))].join(', ')}`);
    const [log] = await this.#server.sql(
      `SELECT count(*)::int AS entries, count(DISTINCT lookup_key)::int AS lookups FROM log WHERE event = 'answered'`,
      this.#url,
    );
    const { entries, lookups } = log as { entries: number; lookups: number };
    require(entries === lookups, `${entries - lookups} lookups stand in the log as answered twice`);
    const told = this.asked.filter(({ answered }) => answered).length;
    require(lookups >= told, `${told - lookups} answers are not in the log`);
    const folder = this.#folders[0] as string;
    const verified = await new AgentProcess(folder, join(folder, 'no-clock'), 'log', 'verify').ended();
    require(verified.code === 0, `the chain of the log: ${verified.text}`);
    const again = this.countEvents('answered-again');
    return [
      `${this.asked.length} lookups, none wrong, ${missing.length} without an answer`,
      ...(missing.length > 0 ? [`for ${this.#pauseMs()} ms at most`] : []),
      ...(again > 0 ? [`${again} answered once more by the other`] : []),
    ].join(', ');
  }

  /** The longest time without an answer around lookups that had none. */
  #pauseMs(): number {
    const sorted = this.asked.toSorted((a, b) => a.at - b.at);
    let [longest, since] = [0, sorted[0]?.at ?? 0];
    for (const { answered, at } of sorted)
      if (answered) since = at;
      else longest = Math.max(longest, at - since);
    return longest;
  }

  async close(): Promise<void> {
    this.#asking = false;
    for (const replica of this.#replicas) if (replica?.isRunning === true) await replica.kill();
    await Promise.allSettled(this.#askers);
    await this.#federation.close();
    await this.#server.remove();
  }
}
