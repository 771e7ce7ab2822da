import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogEntry, LookupOpened, TableCommitment, TreeHead } from '@hitmachine/protocol';
import {
  TABLES_PATH,
  addCheckpoint,
  decodeBase64,
  decodeEnrolmentToken,
  decodeEntry,
  encodeBase64,
  logOrigin,
  utf8ToBytes,
  witnessName,
} from '@hitmachine/protocol';
import { pino } from 'pino';
import type { RunningGateway } from '@hitmachine/gateway';
import {
  gatewayFiles,
  gatewayKeys,
  inviteAgency,
  makeGatewayFiles,
  openStore,
  operationalLog,
  readConfig,
  readPolicy,
  readSeeds,
  startGateway,
} from '@hitmachine/gateway';
import { AgentSocket } from '../gateway/support/agent-socket.ts';
import { TestAgency, elements, register } from '../gateway/support/agency.ts';
import { backend, random } from '../gateway/support/fixtures.ts';
import { questionsRequest, reports } from '../gateway/support/questions.ts';
import { removeAgency } from '../../gateway/src/domain/removal.ts';
import { sha256 } from '../../gateway/src/domain/sha256.ts';

export const FEDERATION = 'waalstad';
const PURPOSE = 'casusoverleg-zvh';
export const STATEMENTS = ['problemen', 'leefgebieden', 'overlast', 'domeinen'];
const ASKERS = ['wijkteam', 'politie', 'ggz'] as const;
/** Takes part in the first half only. */
const LEAVER = 'reclassering';
/** Enrols anew, with another key, halfway. */
const REINSTALLED = 'ggz';
/** Between two lookups, by the clock of the log: a night's worth for a few thousand. */
const STEP_MS = 20_000;
/** A policy for one who asks faster, and at all hours, than anybody would: that must not slow it down here. */
export const withoutLimits = (yaml: string): string =>
  yaml
    .replaceAll(/^ {2}(agency|professional): \{ minute: \d+, day: \d+ \}$/gm, '  $1: { day: 1000000 }')
    .replace('burst: 60', 'burst: 1000000\n  atNight: 1000000');

const ONE_ELEMENT = encodeBase64(elements(1));

/** A line as `hit-agent log export --for-reconciliation` writes it. */
export interface ReconciliationLine {
  readonly agency: string;
  readonly role: 'asked' | 'answered';
  readonly lookupId: string;
  readonly at: string;
  readonly purpose: string;
  readonly persons: number;
  readonly others: readonly string[];
  readonly requestDigest: string;
}

/** A member of the federation as the gateway sees it: asks, answers, cosigns, and keeps what it gets. */
interface Party {
  readonly agency: TestAgency;
  socket: AgentSocket | undefined;
  state: TreeHead | undefined;
}

/**
 * A log that a real gateway wrote: agencies enrol, announce registers, ask, answer and cosign over its own interfaces,
 * with their own keys, while its clock runs faster than the real one. Afterwards the gateway is stopped.
 */
export class RealLog {
  readonly folder = mkdtempSync(join(tmpdir(), 'hitmachine-audit-'));
  readonly parties = new Map<string, Party>();
  /** Of lookups: the file content of `hit-agent receipt`, by identifier. */
  readonly receipts = new Map<string, string>();
  readonly lines: ReconciliationLine[] = [];
  /** The seed with which an agency signed before it enrolled anew. */
  formerSeed = new Uint8Array(32);
  identitySeed = new Uint8Array(32);
  #clock = Date.now();
  /** Of the last tables that an agency committed to. */
  #epoch = 0;
  #gateway: RunningGateway | undefined;
  #store: ReturnType<typeof openStore> | undefined;

  readonly now = (): number => this.#clock;

  get gatewayFolder(): string {
    return join(this.folder, 'gateway');
  }

  get publicKey(): Uint8Array {
    return backend.signatures.publicKey(this.identitySeed);
  }

  party(id: string): Party {
    return this.parties.get(id) as Party;
  }

  static async make(entries: number): Promise<RealLog> {
    const log = new RealLog();
    await log.#start();
    for (const id of [...ASKERS, LEAVER]) await log.#join(id);
    await log.#grow(Math.floor(entries / 2));
    log.formerSeed = log.party(REINSTALLED).agency.seed as Uint8Array<ArrayBuffer>;
    await log.#join(REINSTALLED);
    const deps = { ...log.#open, runtime: { now: log.now, random } };
    const before = await log.#rosterVersion();
    await removeAgency(deps, LEAVER);
    while ((await log.#rosterVersion()) === before) await delay(50);
    await log.#refused();
    for (const id of ASKERS) await log.#commit(id);
    await log.#grow(entries);
    await log.stop();
    return log;
  }

  get #open() {
    if (this.#store === undefined) throw new Error('the gateway is stopped');
    return this.#store;
  }

  async #start(): Promise<void> {
    const { files } = await makeGatewayFiles(backend, this.gatewayFolder, {
      federation: FEDERATION,
      listen: '127.0.0.1:0',
    });
    writeFileSync(files.policy, withoutLimits(readFileSync(files.policy, 'utf8')));
    const config = readConfig(files.config);
    const seeds = await readSeeds(backend, files, config);
    this.identitySeed = seeds.identitySeed.reveal() as Uint8Array<ArrayBuffer>;
    this.#store = openStore(files.database);
    this.#gateway = await startGateway({
      backend,
      seeds,
      federation: config.federation,
      firstPolicy: () => readPolicy(files.policy, config.federation),
      listen: { host: '127.0.0.1', port: 0 },
      store: this.#store,
      publishEveryMs: 100,
      runtime: { now: this.now, random },
      log: operationalLog(pino({ level: 'silent' })),
    });
  }

  /** Enrols an agency, or enrols it anew with another key, and connects its agent. */
  async #join(id: string): Promise<void> {
    const config = readConfig(gatewayFiles(this.gatewayFolder).config);
    const { identityKey } = gatewayKeys(
      backend,
      await readSeeds(backend, gatewayFiles(this.gatewayFolder), config),
    );
    const deps = { ...this.#open, runtime: { now: this.now, random }, gatewayKey: identityKey };
    const { token } = await inviteAgency(deps, { id, name: `Agency ${id}`, kind: 'other', clients: 100 });
    const url = this.#gateway?.url ?? '';
    const agency = new TestAgency(id, (path, init) => fetch(url + path, init), this.now);
    const enrolled = await agency.enrol(decodeEnrolmentToken(token).secret);
    if (enrolled.status !== 201) throw new Error(await enrolled.text());
    await agency.call('PUT', '/v1/registers', { registers: [register('incidenten'), register('zorg')] });
    await agency.call('POST', '/v1/evaluations', { register: 'zorg', elements: ONE_ELEMENT });
    const party: Party = { agency, socket: undefined, state: this.parties.get(id)?.state };
    this.parties.get(id)?.socket?.socket.terminate();
    this.parties.set(id, party);
    await this.#commit(id);
    party.socket = await AgentSocket.open(url, agency, (socket) => this.#prepare(socket, party), this.now());
  }

  #prepare(socket: AgentSocket, party: Party): void {
    const { id, seed } = party.agency;
    const name = witnessName(FEDERATION, id);
    const witness = { backend, origin: logOrigin(FEDERATION), logKey: this.publicKey, name, seed };
    socket.onDelivery = () => ({ outcome: 'answered', ciphertext: random(64) });
    socket.onAddCheckpoint = ({ body }) => {
      const response = addCheckpoint(
        witness,
        party.state,
        new TextDecoder().decode(body),
        Math.floor(this.now() / 1000),
      );
      party.state = response.state ?? party.state;
      return { status: response.status, body: utf8ToBytes(response.body) };
    };
  }

  async #rosterVersion(): Promise<number> {
    return (await this.#open.directory.latestRoster())?.version ?? 0;
  }

  async #grow(entries: number): Promise<void> {
    while ((await this.#open.auditLog.head()).size < entries) {
      this.#clock += STEP_MS;
      await Promise.all([...ASKERS, ...ASKERS].map((asker) => this.#ask(asker)));
    }
  }

  /** A lookup, at two of the other agencies. */
  async #ask(asker: string): Promise<void> {
    const { agency } = this.party(asker);
    const nodes = ASKERS.filter((id) => id !== asker);
    const request = agency.lookup(await this.#rosterVersion(), {
      purpose: PURPOSE,
      role: 'information-coordinator',
      statements: STATEMENTS,
      registers: nodes.map((id) => `${id}/incidenten`),
      tokenTypes: ['bsn'],
      elements: ONE_ELEMENT,
      caseCommitment: encodeBase64(random(32)),
    });
    const signed = agency.sign('POST', '/v1/lookups', request);
    const response = await agency.post(signed);
    if (response.status !== 200) throw new Error(await response.text());
    const opened = (await response.json()) as LookupOpened;
    const entry = new TextDecoder().decode(decodeBase64(opened.logged.entry));
    this.receipts.set(opened.lookupId, `${entry}\n${opened.logged.receipt}`);
    const path = `/v1/lookups/${opened.lookupId}/questions`;
    await reports(await agency.send(path, questionsRequest(opened, nodes)));
    const { evidence } = decodeEntry(decodeBase64(opened.logged.entry)) as Extract<
      LogEntry,
      { event: 'lookup' }
    >;
    const line = {
      lookupId: opened.lookupId,
      at: new Date(this.now()).toISOString(),
      purpose: PURPOSE,
      persons: 1,
      requestDigest: encodeBase64(sha256(decodeBase64(evidence.base))),
    };
    this.lines.push({ ...line, agency: asker, role: 'asked', others: nodes });
    for (const node of nodes) this.lines.push({ ...line, agency: node, role: 'answered', others: [asker] });
  }

  /** An agency's word on what it answers from, and where its own log stands. */
  async #commit(id: string): Promise<void> {
    this.#epoch = Math.max(this.#clock, this.#epoch + 1);
    const response = await this.party(id).agency.call('POST', TABLES_PATH, this.commitment(this.#epoch));
    if (response.status !== 200) throw new Error(await response.text());
  }

  commitment(epoch: number, sequence = epoch): TableCommitment {
    const table = { tokenType: 'bsn', bits: 0, capacity: 1, root: encodeBase64(random(32)) };
    return {
      format: 'hitmachine-tables-1',
      epoch,
      day: new Date(epoch).toISOString().slice(0, 10),
      tables: [{ register: 'incidenten', ...table }],
      logHead: { sequence, chain: encodeBase64(random(32)) },
    };
  }

  /** A lookup for a purpose that nobody agreed on. */
  async #refused(): Promise<void> {
    const { agency } = this.party('politie');
    const { status } = await agency.call(
      'POST',
      '/v1/lookups',
      agency.lookup(1, { purpose: 'nieuwsgierig' }),
    );
    if (status === 200) throw new Error('a lookup without a purpose was allowed');
  }

  /** Stops once the newest entries are published and cosigned. */
  async stop(): Promise<void> {
    const { size } = await this.#open.auditLog.head();
    const settled = (id: string): boolean => this.party(id).state?.size === size;
    const deadline = Date.now() + 20_000;
    while (!ASKERS.every(settled)) {
      if (Date.now() > deadline) throw new Error('the log was not cosigned');
      await delay(50);
    }
    await delay(700);
    for (const { socket } of this.parties.values()) socket?.socket.terminate();
    await this.#gateway?.close();
    await this.#store?.close();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
