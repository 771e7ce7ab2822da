import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { LookupOpened } from '@hitmachine/protocol';
import {
  TreeBuilder,
  constantTimeEqual,
  decodeBase64,
  decodeEnrolmentToken,
  encodeBase64,
  leafHash,
  logOrigin,
  openCheckpoint,
  parseReceipt,
  verifyConsistency,
  proveConsistency,
  verifyReceipt,
} from '@hitmachine/protocol';
import { openStore } from '@hitmachine/gateway';
import { TestAgency, elements } from '../gateway/support/agency.ts';
import { backend, random } from '../gateway/support/fixtures.ts';
import { NODE_OPTIONS, PROGRAM, runProgram } from '../gateway/support/program.ts';
import { STATEMENTS, withoutLimits } from './real-log.ts';

const FEDERATION = 'waalstad';
const AGENCIES = ['politie', 'gemeente', 'ggz'] as const;
/** Lookups that each agency has under way at any moment. */
const IN_FLIGHT = 4;
/** How long a gateway lives under load, in milliseconds, and how much longer the longest-lived. */
const SHORTEST_LIFE_MS = 100;
const LIFE_MS = 400;

export interface KillResult {
  readonly kills: number;
  /** Lookups that were sent, with an answer or without. */
  readonly sent: number;
  readonly receipts: number;
  /** Receipts whose entry is not in the log, or that the last checkpoint does not bear out. */
  readonly missing: number;
  readonly entries: number;
}

/**
 * Kills a real gateway again and again (SIGKILL) while agencies ask, and looks at the end whether each receipt that an
 * agency ever got is borne out by the log. Throws when the tree and the entries do not agree. `meddle` gets the
 * database in its hands before that, to show that a loss would be seen.
 */
export async function killTheGateway(
  times: number,
  tell: (line: string) => void,
  meddle: (database: string) => void = () => undefined,
): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-kill-'));
  const killed = new KilledGateway(folder);
  try {
    await killed.prepare();
    for (let kill = 1; kill <= times; kill++) {
      await killed.liveAndDie(kill);
      if (kill % 10 === 0 || kill === times)
        tell(`killed ${kill} times: ${killed.sent} lookups sent, ${killed.receipts.length} receipts held`);
    }
    return await killed.judge(times, tell, meddle);
  } finally {
    killed.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class KilledGateway {
  readonly receipts: { readonly leaf: Uint8Array; readonly receipt: string }[] = [];
  sent = 0;
  readonly #folder: string;
  readonly #elements = encodeBase64(elements(1));
  #program: ChildProcess | undefined;
  #url = '';
  #agencies: TestAgency[] = [];
  #rosterVersion = 0;
  #gatewayKey = new Uint8Array(32);

  constructor(folder: string) {
    this.#folder = folder;
  }

  async prepare(): Promise<void> {
    await this.#command('init', '--federation', FEDERATION, '--listen', '127.0.0.1:0');
    const policy = join(this.#folder, 'policy.yaml');
    writeFileSync(policy, withoutLimits(readFileSync(policy, 'utf8')));
    await this.#serve();
    for (const id of AGENCIES) {
      const token = await this.#command('agency', 'add', id, '--name', id, '--kind', 'other');
      const { secret, gatewayKey } = decodeEnrolmentToken(token);
      this.#gatewayKey = gatewayKey as Uint8Array<ArrayBuffer>;
      const agency = new TestAgency(id, (path, init) => fetch(this.#url + path, init), Date.now);
      const enrolled = await agency.enrol(secret);
      if (enrolled.status !== 201) throw new Error(await enrolled.text());
      this.#agencies.push(agency);
    }
    this.#rosterVersion = AGENCIES.length + 1;
  }

  /** Asks as fast as it can until the gateway is killed, at any moment; then starts it again. */
  async liveAndDie(kill: number): Promise<void> {
    if (this.#program === undefined) await this.#serve();
    const program = this.#program as unknown as ChildProcess;
    const life = { isOver: false };
    const asking = this.#agencies.flatMap((agency) =>
      Array.from({ length: IN_FLIGHT }, async () => {
        while (!life.isOver) await this.#ask(agency);
      }),
    );
    // At another moment each time.
    await delay(SHORTEST_LIFE_MS + ((kill * 37) % LIFE_MS));
    const gone = once(program, 'exit');
    program.kill('SIGKILL');
    await gone;
    life.isOver = true;
    this.#program = undefined;
    await Promise.all(asking);
  }

  async #ask(agency: TestAgency): Promise<void> {
    const request = agency.lookup(this.#rosterVersion, {
      purpose: 'casusoverleg-zvh',
      role: 'information-coordinator',
      statements: STATEMENTS,
      tokenTypes: ['bsn'],
      elements: this.#elements,
      caseCommitment: encodeBase64(random(32)),
    });
    this.sent++;
    let opened: LookupOpened;
    try {
      const response = await agency.call('POST', '/v1/lookups', request);
      if (response.status !== 200) throw new Refused(await response.text());
      opened = (await response.json()) as LookupOpened;
    } catch (error) {
      if (error instanceof Refused) throw error;
      // The gateway died before the answer was there.
      await delay(5);
      return;
    }
    const { entry, receipt } = opened.logged;
    this.receipts.push({ leaf: decodeBase64(entry), receipt });
  }

  /** Starts it once more, and holds every receipt against what is there. */
  async judge(
    kills: number,
    tell: (line: string) => void,
    meddle: (database: string) => void,
  ): Promise<KillResult> {
    await this.#serve();
    await delay(100);
    const stopped = once(this.#program as unknown as ChildProcess, 'exit');
    this.#program?.kill('SIGTERM');
    await stopped;
    this.#program = undefined;
    const database = join(this.#folder, 'gateway.sqlite');
    meddle(database);
    const store = openStore(database);
    try {
      const head = await store.auditLog.head();
      const leaves = await store.auditLog.leaves(0, head.size + 1);
      const tree = new TreeBuilder();
      for (const leaf of leaves) tree.append(leafHash(leaf));
      if (leaves.length !== head.size || !constantTimeEqual(tree.head().root, head.root))
        throw new Error('the tree and the entries do not agree');
      const key = { origin: logOrigin(FEDERATION), publicKey: this.#gatewayKey };
      const latest = await store.published.latest();
      if (latest !== undefined) {
        const published = openCheckpoint(backend, latest.note, key).head;
        verifyConsistency(
          published,
          head,
          await proveConsistency(store.auditLog.hashes, published.size, head.size),
        );
      }
      let missing = 0;
      for (const { leaf, receipt } of this.receipts) {
        const proved = verifyReceipt(backend, key, leaf, receipt);
        const there = leaves[proved.index];
        const isThere =
          there !== undefined && constantTimeEqual(there, leaf) && proved.head.size <= head.size;
        try {
          if (!isThere) throw new Error('the entry is not there');
          const proof = await proveConsistency(store.auditLog.hashes, proved.head.size, head.size);
          verifyConsistency(proved.head, head, proof);
        } catch {
          missing++;
          tell(
            `entry ${parseReceipt(receipt).index}: a receipt of it is held, and the log does not bear it out`,
          );
        }
      }
      tell(`the log has ${head.size} entries; tree and entries agree`);
      return { kills, sent: this.sent, receipts: this.receipts.length, missing, entries: head.size };
    } finally {
      await store.close();
    }
  }

  stop(): void {
    this.#program?.kill('SIGKILL');
  }

  async #serve(): Promise<void> {
    const program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, 'serve', '--dir', this.#folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#program = program;
    for await (const line of createInterface({ input: program.stdout })) {
      const { event, url } = JSON.parse(line) as { event: string; url: string };
      if (event !== 'listening') continue;
      this.#url = url;
      program.stdout.resume();
      return;
    }
    throw new Error('the gateway did not start');
  }

  async #command(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram([...argv, '--dir', this.#folder]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }
}

/** The gateway said no: the test itself is wrong. */
class Refused extends Error {}
