import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Agency, AgentReply, Kem, NodePolicy, TableCommitment } from '@hitmachine/protocol';
import { encodeBase64, nodePolicySchema } from '@hitmachine/protocol';
import type { z } from 'zod';
import { sqlAgencyLog } from '../../../node-agent/src/adapters/sql/agency-log.ts';
import { sqlAskedAboutStore } from '../../../node-agent/src/adapters/sql/asked-about.ts';
import { SqliteAgentDatabase } from '../../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../../node-agent/src/adapters/sqlite/database.ts';
import { sqlEpochStore } from '../../../node-agent/src/adapters/sql/epoch-store.ts';
import { sqlitePseudonymStore } from '../../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import { sqlKeyChangeStore } from '../../../node-agent/src/adapters/sql/key-change-store.ts';
import { sqlStateStore } from '../../../node-agent/src/adapters/sql/state-store.ts';
import { workerTableBuilder } from '../../../node-agent/src/adapters/workers/table-builder.ts';
import type { Config, ConfiguredRegister } from '../../../node-agent/src/config.ts';
import { configSchema } from '../../../node-agent/src/config.ts';
import { answerDelivery } from '../../../node-agent/src/domain/answering/answer-question.ts';
import { AnsweringTables } from '../../../node-agent/src/domain/answering/answering-tables.ts';
import { askedAboutRegister } from '../../../node-agent/src/domain/asked-about.ts';
import { beginAskedAbout } from '../../../node-agent/src/domain/importing/begin-asked-about.ts';
import { canaryRound } from '../../../node-agent/src/domain/answering/canary-round.ts';
import { AskerWatch } from '../../../node-agent/src/domain/answering/asker-watch.ts';
import { CanaryWatch } from '../../../node-agent/src/domain/answering/canary-watch.ts';
import { EpochKeeper } from '../../../node-agent/src/domain/answering/epoch-keeper.ts';
import type { ImportResult } from '../../../node-agent/src/domain/importing/import-clients.ts';
import { importClients, prepareImport } from '../../../node-agent/src/domain/importing/import-clients.ts';
import type { AgencyKeys } from '../../../node-agent/src/domain/keys.ts';
import { deriveKeys, makeSeeds } from '../../../node-agent/src/domain/keys.ts';
import type { LookupService } from '../../../node-agent/src/domain/asking/lookup.ts';
import { beginLookup } from '../../../node-agent/src/domain/asking/lookup.ts';
import type { LookupInput } from '../../../node-agent/src/domain/asking/lookup-input.ts';
import type { Outcome } from '../../../node-agent/src/domain/asking/outcome.ts';
import { GatewayNotices } from '../../../node-agent/src/domain/membership/gateway-notices.ts';
import { NodePolicyKeeper } from '../../../node-agent/src/domain/answering/node-policy-keeper.ts';
import { OpenReviews } from '../../../node-agent/src/domain/desk/open-reviews.ts';
import { ProfessionalWatch } from '../../../node-agent/src/domain/asking/professional-watch.ts';
import { NodeCommitments } from '../../../node-agent/src/domain/asking/node-commitments.ts';
import { publishRegisters } from '../../../node-agent/src/domain/membership/publish-registers.ts';
import { RosterKeeper } from '../../../node-agent/src/domain/membership/roster-keeper.ts';
import { IncomingSessions } from '../../../node-agent/src/domain/answering/incoming-sessions.ts';
import { followNodeKey } from '../../../node-agent/src/domain/rotation/node-key-in-use.ts';
import { OutgoingSessions } from '../../../node-agent/src/domain/asking/outgoing-sessions.ts';
import type { AgentStatus } from '../../../node-agent/src/domain/running/status.ts';
import { statusOf } from '../../../node-agent/src/domain/running/status.ts';
import { settingsFor } from '../../../node-agent/src/domain/membership/token-types.ts';
import { TableCommitter } from '../../../node-agent/src/domain/answering/table-committer.ts';
import type { LogWatch } from '../../../node-agent/src/open-log-watch.ts';
import { openLogWatch } from '../../../node-agent/src/open-log-watch.ts';
import type { AgencyLog } from '../../../node-agent/src/ports/agency-log.ts';
import type { ClientRow } from '../../../node-agent/src/ports/client-source.ts';
import type { OperationalLog } from '../../../node-agent/src/ports/operational-log.ts';
import type { TableBuilder } from '../../../node-agent/src/ports/table-builder.ts';
import { secureRandom } from '../../../node-agent/src/random.ts';
import { connectionOf } from './net.ts';
import type { Delivery, StandInGateway } from './gateway.ts';
import { PURPOSE, backend, suite } from './gateway.ts';
import { ROLE } from './policy.ts';

export { numbers, wordOf } from './words.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: unknown;
  readonly [field: string]: unknown;
}

/** An operational log that keeps its lines. */
export function keepingLog(): OperationalLog & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: Readonly<Record<string, unknown>>) =>
    void lines.push({ level, event: fields['event'], ...fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const registerOf = (id: string, tokenTypes = ['bsn', 'name+birthdate']): ConfiguredRegister => ({
  id,
  name: `Registratie ${id}`,
  areaOfLife: 'veiligheid',
  tokenTypes,
  contact: { name: `Team ${id}`, telephone: '024 000 00 00' },
});

export interface NodeOptions {
  readonly registers?: readonly ConfiguredRegister[];
  readonly quota?: number;
  /** What this agency's own policy.yaml says. */
  readonly policy?: z.input<typeof nodePolicySchema>;
  readonly kem?: Kem;
  readonly kind?: Agency['kind'];
  readonly builder?: TableBuilder;
  readonly canaryStaleMs?: number;
  readonly minWitnesses?: number;
  /** Whether it answers as one of several. */
  readonly hasReplicas?: boolean;
  /** Answer from the register of the persons asked about as well, with these settings. */
  readonly subjectAccess?: Partial<Config['subjectAccess']>;
}

/**
 * An agent without its sockets: the real domain on a real database file, at a stand-in gateway, with a clock that
 * the test moves. `restart` is what a new process finds.
 */
export class TestNode {
  readonly folder = mkdtempSync(join(tmpdir(), 'hitmachine-node-'));
  readonly file = join(this.folder, 'agent.sqlite');
  readonly id: string;
  readonly gateway: StandInGateway;
  readonly keys: AgencyKeys;
  readonly log = keepingLog();
  readonly builder: TableBuilder;
  readonly #options: NodeOptions;
  /** This agency's own rules. */
  policy: NodePolicy;
  /** The connection itself, for what a test does to it. */
  database!: DatabaseSync;
  stores!: SqliteAgentDatabase;
  roster!: RosterKeeper;
  agencyLog!: AgencyLog;
  canaries!: CanaryWatch;
  tables!: AnsweringTables;
  epochs!: EpochKeeper;
  commitments!: NodeCommitments;
  /** The checkpoints that this agent was shown, in order. */
  readonly checkpoints: string[] = [];
  watch!: LogWatch;
  professionalWatch!: ProfessionalWatch;
  askerWatch!: AskerWatch;
  policyKeeper!: NodePolicyKeeper;
  reviews!: OpenReviews;
  notices!: GatewayNotices;
  outgoing!: OutgoingSessions;
  incoming!: IncomingSessions;

  private constructor(gateway: StandInGateway, id: string, keys: AgencyKeys, options: NodeOptions) {
    this.gateway = gateway;
    this.id = id;
    this.keys = keys;
    this.#options = options;
    this.builder = options.builder ?? workerTableBuilder(1);
    this.policy = nodePolicySchema.parse({
      quotas: { personsPerAgencyPerDay: options.quota ?? 1_000, personsPerDay: 100_000 },
      ...options.policy,
    });
  }

  static async join(gateway: StandInGateway, id: string, options: NodeOptions = {}): Promise<TestNode> {
    const keys = await deriveKeys(backend, suite, options.kem ?? 'x25519', makeSeeds(secureRandom));
    const node = new TestNode(gateway, id, keys, options);
    gateway.seeds.set(id, keys.identitySeed.reveal());
    gateway.put({
      id,
      name: `Organisatie ${id}`,
      kind: options.kind ?? 'other',
      identityKey: encodeBase64(keys.identityKey),
      sessionKey: keys.sessionKey,
      registers: node.registers.map((register) => ({ ...register, tableBits: {} })),
    });
    node.#open();
    await node.state.setMembership({
      agency: id,
      gatewayUrl: 'http://gateway.example',
      gatewayKey: gateway.identityKey,
    });
    await node.state.setRoster(JSON.stringify(gateway.sign()));
    await node.restart();
    return node;
  }

  get registers(): readonly ConfiguredRegister[] {
    const registers = this.#options.registers ?? [registerOf('incidenten')];
    return this.#options.subjectAccess === undefined ? registers : [...registers, this.askedAbout];
  }

  /** Kept with every lookup; answered from only where a test asks for it. */
  get askedAbout(): ConfiguredRegister {
    const config = configSchema.parse({ subjectAccess: this.#options.subjectAccess });
    const settings = () => settingsFor(this.gateway.policy, this.#options.kind ?? 'other');
    return askedAboutRegister(config, this.id, settings);
  }

  get clock(): () => number {
    return () => this.gateway.now;
  }

  /** What a new process has: the files, and nothing of what was in memory. */
  async restart(): Promise<void> {
    await this.stores.close();
    this.#open();
    const { keys, clock, gateway, registers, log } = this;
    const membership = (await this.state.membership())!;
    this.roster = await RosterKeeper.open(backend, this.state, membership, log, clock, keys);
    this.agencyLog = sqlAgencyLog(this.stores, backend, keys.logKey, secureRandom);
    const { roster, agencyLog } = this;
    this.notices = new GatewayNotices(gateway.clientOf(this.id), log);
    this.professionalWatch = new ProfessionalWatch({ keys, roster, agencyLog, notices: this.notices, log });
    this.askerWatch = new AskerWatch({ roster, agencyLog, log });
    this.reviews = new OpenReviews(agencyLog);
    const source = { read: () => this.policy, stamp: () => JSON.stringify(this.policy) };
    this.policyKeeper = new NodePolicyKeeper(source, this.state, log);
    this.canaries = new CanaryWatch(clock, this.#options.canaryStaleMs ?? 180_000);
    this.tables = new AnsweringTables(suite, keys, this.id, registers, this.canaries);
    const parties = { backend, keys, roster: this.roster, clock, random: secureRandom };
    this.outgoing = new OutgoingSessions(parties);
    this.incoming = new IncomingSessions(parties);
    this.watch = await openLogWatch({
      backend,
      keys,
      database: this.stores,
      agency: this.id,
      gatewayKey: gateway.identityKey,
      roster: this.roster,
      gateway: gateway.clientOf(this.id),
      agencyLog: this.agencyLog,
      clock,
      log,
      minWitnesses: this.#options.minWitnesses ?? 0,
      retentionDays: 30,
    });
    const trusting = {
      backend,
      roster: this.roster,
      gatewayKey: gateway.identityKey,
      clock,
      seenCheckpoint: (checkpoint: string) => {
        this.checkpoints.push(checkpoint);
        return this.watch.view.seenCheckpoint(checkpoint, 'answer');
      },
    };
    this.commitments = new NodeCommitments(trusting);
    const client = {
      commitTables: (commitment: TableCommitment) => gateway.clientOf(this.id).commitTables(commitment),
      latestTables: () => gateway.clientOf(this.id).latestTables(),
    };
    this.epochs = new EpochKeeper({
      suite,
      keys,
      registers,
      roster: this.roster,
      pseudonyms: this.pseudonyms,
      epochs: sqlEpochStore(this.stores),
      builder: this.builder,
      committer: new TableCommitter({ ...trusting, keys, agency: this.id, gateway: client }),
      tables: this.tables,
      canaries: this.canaries,
      clock,
      log,
      followNodeKey: () => followNodeKey(keys, this.keyChanges, async () => undefined),
      askedAboutWaitMs: (this.#options.subjectAccess?.refreshHours ?? 24) * 3_600_000,
      publishBits: (bits) => publishRegisters(this.roster, gateway.clientOf(this.id), registers, bits),
    });
    await this.epochs.resume();
    gateway.nodes.set(this.id, (delivery) => this.answer(delivery));
  }

  #open(): void {
    this.database = openDatabase(this.file);
    this.stores = new SqliteAgentDatabase(this.database);
  }

  get state() {
    return sqlStateStore(this.stores);
  }

  get keyChanges() {
    return sqlKeyChangeStore(this.stores);
  }

  get pseudonyms() {
    return sqlitePseudonymStore(this.stores);
  }

  get service(): LookupService {
    return {
      suite,
      backend,
      random: secureRandom,
      clock: this.clock,
      roster: this.roster,
      gateway: this.gateway.clientOf(this.id),
      log: this.log,
      commitments: this.commitments,
      receipts: this.watch.receipts,
      logView: this.watch.view,
      telemetry: { asked: () => undefined, answered: () => undefined },
      requireLookupProof: true,
      sessions: this.outgoing,
      keys: this.keys,
      agencyLog: this.agencyLog,
      askedAbout: this.askedAbout,
      retentionDays: 1_826,
      watch: this.professionalWatch,
    };
  }

  answer(delivery: Delivery): Promise<AgentReply> {
    const { roster, incoming: sessions, tables, agencyLog, log, clock, registers, canaries } = this;
    return answerDelivery(
      {
        ...{ suite, backend, random: secureRandom, clock, roster, sessions, tables, agencyLog, log },
        ...{ registers, canaries, hasReplicas: this.#options.hasReplicas },
        logView: this.watch.view,
        watch: this.askerWatch,
        policy: () => this.policyKeeper.current(),
      },
      delivery,
    );
  }

  import(numbers: readonly string[], register = this.registers[0]!): Promise<ImportResult> {
    const rows = numbers.map((bsn, i) => ({ line: i + 2, client: { bsn } }));
    return this.importRows(rows, register);
  }

  async importRows(rows: readonly ClientRow[], register = this.registers[0]!): Promise<ImportResult> {
    const held = (await this.pseudonyms.imports()).find((state) => state.register === register.id);
    return importClients(
      {
        suite,
        keys: this.keys,
        roster: this.roster,
        gateway: this.gateway.clientOf(this.id),
        pseudonyms: this.pseudonyms,
        random: secureRandom,
        clock: this.clock,
        over: { importedAt: held?.importedAt },
      },
      register,
      await prepareImport(register, rows, this.clock()),
      () => undefined,
    );
  }

  /** One round of what the agent does by itself: roster, tables, canary. */
  async upkeep(): Promise<void> {
    await this.roster.accept(this.gateway.sign());
    if (this.#options.subjectAccess !== undefined) await this.beginAskedAbout();
    await this.epochs.refresh();
    await this.canary();
  }

  beginAskedAbout(): Promise<void> {
    const { askedAbout: register, stores } = this;
    return beginAskedAbout({ ...this.service, register, askedAbout: sqlAskedAboutStore(stores) });
  }

  canary(): Promise<void> {
    return canaryRound({ ...this.service, canaries: this.canaries, registers: this.registers });
  }

  /** Asks about persons by number. Gives, per person, the outcome of every register. */
  async ask(
    numbers: readonly string[],
    change: Partial<LookupInput> = {},
  ): Promise<Readonly<Record<string, Outcome>>[]> {
    if (this.roster.roster.version !== this.gateway.version) await this.roster.accept(this.gateway.sign());
    const lookup = await beginLookup(this.service, {
      purpose: PURPOSE,
      caseReference: 'ZVH-2026-0001',
      professional: 'j.jansen',
      role: ROLE,
      statements: [],
      persons: numbers.map((bsn) => ({ bsn })),
      ...change,
    } as LookupInput);
    const results = numbers.map((): Record<string, Outcome> => ({}));
    for await (const event of lookup.events)
      if (event.type === 'register')
        event.outcomes.forEach((outcome, i) => (results[i]![event.register.name] = outcome));
    return results;
  }

  /** How this agent is doing, connected to the gateway unless told. */
  async status(connected = true): Promise<AgentStatus> {
    const { roster, tables, canaries, pseudonyms, registers, keys, watch, clock, reviews } = this;
    const problem = connected ? undefined : 'connecting';
    return statusOf({
      ...{ roster, tables, canaries, pseudonyms, registers, keys, watch, clock, reviews },
      membership: (await this.state.membership())!,
      connection: connectionOf(connected, this.gateway.now, problem),
      ownPolicy: this.policyKeeper,
      settingsNotices: () => [],
      logRetentionDays: 30,
    });
  }

  async close(): Promise<void> {
    await this.watch.view.close();
    await this.builder.close();
    await this.stores.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
