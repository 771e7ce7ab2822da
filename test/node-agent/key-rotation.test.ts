import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../gateway/src/cli/program.ts';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program } from './support/program.ts';

const clients = numbers(1_500, 270_000_000);
const [pushed, stranger] = numbers(2, 280_000_000) as [string, string];
const REGISTERS = ['politie/incidenten', 'politie/meldingen'];

/** Asks the same questions over and over, and holds every answer against what is true. */
class Asking {
  readonly wrong: string[] = [];
  /** Why questions were not put at all. */
  readonly refusals: string[] = [];
  readonly reasons = new Map<string, number>();
  answered = 0;
  /** The longest time without an answer of some register, in milliseconds. */
  longestGapMs = 0;
  #last = performance.now();
  #going = true;
  readonly #done: Promise<void>;

  constructor(asker: TestAgency) {
    this.#done = this.#ask(asker);
  }

  async #ask(asker: TestAgency): Promise<void> {
    const truth = [[REGISTERS[0]], [REGISTERS[1]], []];
    while (this.#going) {
      const persons = [clients[0]!, pushed, stranger].map((bsn) => ({ bsn }));
      const asked = await asker
        .lookup(persons, { registers: REGISTERS })
        .catch((error: unknown) => String(error));
      if (typeof asked === 'string') {
        this.refusals.push(asked);
        await delay(150);
        continue;
      }
      const { persons: told } = asked;
      let all = true;
      told.forEach(({ registers }, person) => {
        for (const { register, status, reason } of registers) {
          if (status === 'known' || status === 'not-known') {
            if ((status === 'known') !== truth[person]!.includes(register))
              this.wrong.push(`person ${person} at ${register}: ${status}`);
          } else {
            all = false;
            const key = `${status}: ${reason ?? ''}`;
            this.reasons.set(key, (this.reasons.get(key) ?? 0) + 1);
          }
        }
      });
      if (all) {
        this.longestGapMs = Math.max(this.longestGapMs, performance.now() - this.#last);
        this.#last = performance.now();
        this.answered++;
      }
      await delay(150);
    }
  }

  async end(): Promise<void> {
    this.#going = false;
    await this.#done;
  }
}

describe('keys that change while agencies ask, at a real gateway', { timeout: 120_000 }, () => {
  let federation: Federation;
  let police: TestAgency;
  let town: TestAgency;

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: {
        politie: [
          { id: 'incidenten', tokenTypes: ['bsn'] },
          { id: 'meldingen', tokenTypes: ['bsn'] },
        ],
        gemeente: [],
      },
    });
    [police, town] = [federation.agency('politie'), federation.agency('gemeente')];
    const config = join(police.folder, 'agent.yaml');
    const yaml = readFileSync(config, 'utf8');
    const withSource = yaml.replace(/^( *)(-? *)id: meldingen$/m, (line, indent: string, dash: string) => {
      const inner = `${indent}${' '.repeat(dash.length)}`;
      return `${line}\n${inner}source: { push: { pauseSeconds: 1 } }`;
    });
    expect(withSource).not.toBe(yaml);
    writeFileSync(config, withSource);
    await police.import(
      'incidenten',
      clients.map((bsn) => ({ bsn })),
    );
    await federation.serveAll();
    await police.call('PUT', '/v1/registers/meldingen/clients/K-1', { bsn: pushed });
    await federation.serveAll();
    for (const deadline = Date.now() + 60_000; ; await delay(100)) {
      const { persons } = await town.lookup([{ bsn: pushed }], { registers: [REGISTERS[1]!] });
      if (persons[0]?.registers[0]?.status === 'known') break;
      expect(Date.now()).toBeLessThan(deadline);
    }
  }, 120_000);

  afterAll(() => federation.close());

  const shown = async (agency: TestAgency): Promise<string> => agency.run('keys', 'show');
  const until = async (what: RegExp, agency = police): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !what.test(await shown(agency)); await delay(200))
      if (Date.now() > deadline) throw new Error(await shown(agency));
  };

  it('of a node: every answer is right or has a reason, over a restart, and nothing is imported again', async () => {
    const asking = new Asking(town);
    const before = /node key in use: +(\S+)/.exec(await shown(police))?.[1];
    const said = await police.run('keys', 'rotate', '--node-key');
    expect(said).toMatch(/back it up again/);
    expect(said).toMatch(/no cure after a leak/);
    // A second one waits for the first.
    expect((await police.tryRun('keys', 'rotate', '--node-key')).err).toMatch(/under way|is not over/);
    await police.stop();
    await delay(300);
    await police.start();
    await until(/former one is not needed any more/);
    await police.ready();
    await delay(1_000);
    await asking.end();
    expect(asking.wrong).toEqual([]);
    expect(asking.answered).toBeGreaterThan(3);
    expect(
      [...asking.reasons.keys()].filter(
        (reason) => !/^no-answer: (not-connected|starting|agent-offline|timeout)/.test(reason),
      ),
    ).toEqual([]);
    const after = /node key in use: +(\S+)/.exec(await shown(police))?.[1];
    expect(after).not.toBe(before);
    expect(await police.run('keys', 'forget')).toMatch(/is gone/);
    expect(await shown(police)).not.toMatch(/former/);
    // What was pushed before is taken along, and an import is a difference with what is there.
    expect(
      await police.run('import', join(police.folder, 'incidenten.csv'), '--register', 'incidenten'),
    ).toMatch(/0 added, 0 removed/);
  });

  it('of a node whose agent is killed in the middle of it goes on where it was', async () => {
    await police.stop();
    const asking = new Asking(town);
    expect(await police.run('keys', 'rotate', '--node-key')).toMatch(/node key/);
    for (let round = 0; round < 2; round++) {
      const program = new Program(police.folder, 'serve');
      await program.says(/node-key-moving/);
      await delay(round * 150);
      await program.kill('SIGKILL');
    }
    await police.start();
    await until(/former one is not needed any more/);
    await police.ready();
    await delay(500);
    await asking.end();
    expect(asking.wrong).toEqual([]);
    expect(asking.answered).toBeGreaterThan(0);
  });

  it('of the gateway: agencies follow by themselves, one that was away too, and nothing is imported again', async () => {
    const hitGateway = async (...argv: string[]): Promise<{ code: number; said: string }> => {
      let said = '';
      const say = (line: string): void => void (said += `${line}\n`);
      const context = { environment: {}, print: say, explain: say };
      const code = await runCli([...argv, '--dir', federation.gatewayFolder], context);
      return { code, said };
    };
    const restartGateway = async (): Promise<void> => {
      await federation.stopGateway();
      await federation.startGateway();
    };
    const gatewayShows = async (what: RegExp, does: boolean): Promise<void> => {
      const shows = async (): Promise<string> => (await hitGateway('keys', 'show')).said;
      for (const deadline = Date.now() + 60_000; what.test(await shows()) !== does; await delay(200))
        if (Date.now() > deadline) throw new Error(await shows());
    };
    expect((await hitGateway('keys', 'rotate', '--activate')).said).toMatch(/no new evaluation key yet/);
    expect(await hitGateway('keys', 'rotate')).toMatchObject({ code: 0 });
    await restartGateway();
    await police.ready();
    await town.ready();
    const asking = new Asking(town);
    await delay(500);
    // One that is away follows when it comes back; until then it has no answer, and nobody is "not known".
    await police.stop();
    expect((await hitGateway('keys', 'rotate', '--activate')).said).toMatch(/comes into force/);
    await gatewayShows(/politie +still asked/, true);
    await gatewayShows(/gemeente +still asked/, false);
    expect((await hitGateway('keys', 'forget')).said).toMatch(/not followed yet/);
    await police.start();
    await gatewayShows(/politie +still asked/, false);
    await police.ready();
    await delay(1_500);
    await asking.end();
    expect(asking.wrong).toEqual([]);
    expect(asking.answered).toBeGreaterThan(3);
    expect(await hitGateway('keys', 'forget')).toMatchObject({ code: 0 });
    await restartGateway();
    for (const agency of [police, town]) await agency.ready();
    expect((await hitGateway('keys', 'show')).said).toMatch(/No change of it is under way/);
    const last = new Asking(town);
    await delay(1_000);
    await last.end();
    expect([...last.wrong, ...last.refusals, ...asking.refusals]).toEqual([]);
    expect(last.answered).toBeGreaterThan(0);
    // An import of today is a difference with what was made anew, and what was pushed was taken along.
    const file = join(police.folder, 'incidenten.csv');
    expect(await police.run('import', file, '--register', 'incidenten')).toMatch(/0 added, 0 removed/);
  });
});
