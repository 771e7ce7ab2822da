import { setTimeout as delay } from 'node:timers/promises';
import { LIMITS, Secret } from '@hitmachine/protocol';
import { openGatewayConnections } from './adapters/http/gateway-connection.ts';
import { sqlAgencyLog } from './adapters/sql/agency-log.ts';
import { sqlAskedAboutStore } from './adapters/sql/asked-about.ts';
import { sqlEpochStore } from './adapters/sql/epoch-store.ts';
import { sqlIdempotencyStore } from './adapters/sql/idempotency-store.ts';
import { startHttpServer } from './adapters/http/server.ts';
import { workerTableBuilder } from './adapters/workers/table-builder.ts';
import { createApp } from './app.ts';
import { readSecretFile } from './directory.ts';
import { answerDelivery } from './domain/answering/answer-question.ts';
import { AskerWatch } from './domain/answering/asker-watch.ts';
import { AnsweringTables } from './domain/answering/answering-tables.ts';
import { askedAboutRegister } from './domain/asked-about.ts';
import { beginAskedAbout } from './domain/importing/begin-asked-about.ts';
import { hearingHere } from './domain/answering/canary-here.ts';
import { canaryRound } from './domain/answering/canary-round.ts';
import { CanaryWatch } from './domain/answering/canary-watch.ts';
import { EpochKeeper } from './domain/answering/epoch-keeper.ts';
import { IdempotentLookups } from './domain/asking/idempotent-lookups.ts';
import { GatewayNotices } from './domain/membership/gateway-notices.ts';
import { LogContinuity, requireOwnLog } from './domain/running/log-continuity.ts';
import { NodeCommitments } from './domain/asking/node-commitments.ts';
import { followNodeKey } from './domain/rotation/node-key-in-use.ts';
import { NodePolicyKeeper } from './domain/answering/node-policy-keeper.ts';
import { ProfessionalWatch } from './domain/asking/professional-watch.ts';
import { publishRegisters } from './domain/membership/publish-registers.ts';
import { RosterKeeper } from './domain/membership/roster-keeper.ts';
import { dailyRetention } from './domain/asking/retention.ts';
import { IncomingSessions } from './domain/answering/incoming-sessions.ts';
import { OpenReviews } from './domain/desk/open-reviews.ts';
import { OutgoingSessions } from './domain/asking/outgoing-sessions.ts';
import { statusOf } from './domain/running/status.ts';
import { bitsOf } from './domain/answering/table-bits.ts';
import { TableCommitter } from './domain/answering/table-committer.ts';
import { ownSettings } from './domain/membership/token-types.ts';
import { Readiness } from './domain/running/readiness.ts';
import { Upkeep } from './domain/running/upkeep.ts';
import type { Config } from './config.ts';
import { readNodePolicy, stampOf } from './node-policy-file.ts';
import type { OpenedAgent } from './open-agent.ts';
import { openAgent } from './open-agent.ts';
import { openCaseSystems } from './open-case-systems.ts';
import { openKeyMover } from './open-key-mover.ts';
import { openDesk, otherClocks } from './open-desk.ts';
import { openHandOvers } from './open-hand-overs.ts';
import { openLogWatch } from './open-log-watch.ts';
import { openReplica } from './open-replica.ts';
import { reloadable } from './open-reloadable.ts';
import { openSettings } from './open-settings.ts';
import { openSources } from './open-sources.ts';
import { openTelemetry } from './open-telemetry.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import { secureRandom } from './random.ts';
import { takesLong } from './routes/http.ts';

export interface StartOptions {
  /** The agent's directory. */
  readonly directory: string;
  readonly log: OperationalLog;
  /** Sets how much is logged; without it a changed `logLevel` needs a restart. */
  readonly setLogLevel?: ((level: Config['logLevel']) => void) | undefined;
  /** Takes the place of the configuration's `listen`. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
  /** Milliseconds between two canaries; a minute unless told. */
  readonly canaryIntervalMs?: number | undefined;
  /** Milliseconds for which proofs of the log that do not hold are asked for again; some minutes unless told. */
  readonly logPatienceMs?: number | undefined;
  /** Milliseconds that a request may take to come in, but for a hand-over; a minute unless told. */
  readonly comingInMs?: number | undefined;
  /** Milliseconds since 1970; the machine's clock unless told. */
  readonly clock?: (() => number) | undefined;
}

export interface RunningAgent {
  /** Where the agency's own API listens. */
  readonly url: string;
  /** Takes in settings and the agency's own rules again, as at SIGHUP. */
  reload(): void;
  /** Lets running answers and lookups end, and stops. */
  close(): Promise<void>;
}

/** Time that running requests and rounds get when the agent is told to stop. */
const DRAIN_MS = 10_000;

/** Time that a replica gets to be ready before it connects. */
const FIRST_ROUND_MS = 5_000;

/** Starts an agent: the loopback API, the connection to the gateway, the tables and the canaries. */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const { log } = options;
  const agent = await openAgent(options.directory, ({ message }) =>
    log.error({ event: 'renewed-file-refused', reason: message }),
  );
  try {
    return await start(agent, options);
  } catch (error) {
    await agent.database.close();
    throw error;
  }
}

async function start(agent: OpenedAgent, options: StartOptions): Promise<RunningAgent> {
  const { log, canaryIntervalMs = 60_000, clock = Date.now } = options;
  const { backend, suite, keys, config, database, pseudonyms, state, keyChanges } = agent;
  const version = await state.version();
  await keyChanges.adopt(keys.nodeKeyMark);
  const { membership, gateway, signer, net } = await agent.enrolled();
  const apiKey = new Secret(readSecretFile(agent.directory.apiKey).toString('utf8').trim());
  const random = secureRandom;
  const roster = await RosterKeeper.open(backend, state, membership, log, clock, keys);
  const agencyLog = sqlAgencyLog(database, backend, keys.logKey, random);
  await requireOwnLog(agencyLog);
  const notices = new GatewayNotices(gateway, log);
  const policyFile = agent.directory.policy;
  const ownPolicy = new NodePolicyKeeper(
    { read: (options) => readNodePolicy(policyFile, options), stamp: () => stampOf(policyFile) },
    state,
    log,
  );
  const askedAbout = askedAboutRegister(config, membership.agency, () => ownSettings(roster));
  const registers = [...config.registers, askedAbout];
  const telemetry = openTelemetry(agent, log);
  const { retentionDays } = config.log;
  const canaries = new CanaryWatch(clock, 3 * canaryIntervalMs);
  const tables = new AnsweringTables(suite, keys, membership.agency, registers, canaries);
  const builder = workerTableBuilder();
  const { agency, gatewayKey } = membership;
  const watch = await openLogWatch({
    backend,
    keys,
    database,
    agency,
    gatewayKey,
    roster,
    gateway,
    agencyLog,
    clock,
    log,
    minWitnesses: config.minWitnesses,
    retentionDays,
    logPatienceMs: options.logPatienceMs,
  });
  const seenCheckpoint = (checkpoint: string): Promise<void> =>
    watch.view.seenCheckpoint(checkpoint, 'answer');
  const committer = new TableCommitter({
    backend,
    keys,
    agency,
    roster,
    gateway,
    gatewayKey,
    logHead: () => agencyLog.head(),
    seenCheckpoint,
  });
  const replica = await openReplica(agent, log);
  const { leads } = replica;
  const continuity = new LogContinuity({ committer, agencyLog, state, clock, log });
  const epochs = new EpochKeeper({
    suite,
    keys,
    registers,
    roster,
    pseudonyms,
    epochs: sqlEpochStore(database),
    builder,
    committer,
    tables,
    canaries,
    clock,
    log,
    followNodeKey: () => followNodeKey(keys, keyChanges, agent.rereadKeys),
    askedAboutWaitMs: config.subjectAccess.refreshHours * 3_600_000,
    publishBits: (...of) => publishRegisters(roster, gateway, registers, ...of),
    leads,
  });
  await epochs.resume();

  const asker = {
    suite,
    backend,
    random,
    clock,
    roster,
    gateway,
    log,
    commitments: new NodeCommitments({ backend, roster, gatewayKey, clock, seenCheckpoint }),
    receipts: watch.receipts,
    logView: watch.view,
    requireLookupProof: config.requireLookupProof,
    followKeys: () => mover.wake(),
    sessions: new OutgoingSessions({ backend, keys, roster, clock, random }),
  };
  const upkeep = new Upkeep(
    {
      log,
      state,
      canaryIntervalMs,
      refreshRoster: async () => {
        await roster.accept(await gateway.roster());
        // An import that ran beside us may have announced the sizes of tables that are gone.
        const bits = tables.stored === undefined ? undefined : bitsOf(tables.stored);
        await publishRegisters(roster, gateway, registers, bits, tables.stored?.evaluationKey);
        mover.wake();
      },
      rereadState: async () => {
        // A command may have made new keys, which the roster then announces.
        void agent
          .rereadKeys()
          .catch((error: unknown) => log.error({ event: 'keys-not-read', reason: (error as Error).message }));
        await roster.checkPins();
        desk?.readers.takeEnded(await state.endedSessions());
        mover.wake();
        if (!(await watch.view.reload())) return;
        // Proofs of the log that was given up hold no longer: the tables are committed to anew, and only then answered from.
        asker.commitments.clear();
        tables.clear();
        await epochs.resume();
      },
      beginAskedAbout: () =>
        beginAskedAbout({
          ...asker,
          keys,
          register: askedAbout,
          askedAbout: sqlAskedAboutStore(database),
        }),
      refreshEpoch: () =>
        replica.doing(async () => {
          // Before the first commitment, which takes the place of the one that tells, and so before the first answer.
          await continuity.check();
          return epochs.refresh();
        }),
      epochIsDue: () => epochs.isDue(),
      canary: async () => {
        await continuity.check();
        await canaryRound({ ...asker, gateway: canaryGateway, keys, canaries, registers });
      },
      canaryIsAwaited: () => canaries.isAwaited(tables.stored?.tables.map(({ register }) => register) ?? []),
      watchLog: async () => {
        void notices.send();
        await watch.round();
      },
      watchPolicy: () => ownPolicy.check(),
      removeOldContent: dailyRetention({ agencyLog, retentionDays, clock, log }),
    },
    version,
  );
  const mover = openKeyMover(agent, { tables, roster, gateway, log, leads }, () => {
    upkeep.registerChanged();
    sources.pushed.lookAtAll();
  });
  const restored = await state.restored();
  const incoming = new IncomingSessions({ backend, keys, roster, clock, openings: replica.openings });
  const node = {
    suite,
    backend,
    random,
    clock,
    roster,
    sessions: incoming,
    tables,
    agencyLog,
    logView: watch.view,
    log,
    registers,
    canaries,
    hasReplicas: replica.openings !== undefined,
    watch: new AskerWatch({ roster, agencyLog, log }),
    policy: () => ownPolicy.current(),
    unknownUntil: restored === undefined ? undefined : restored.restoredAt + LIMITS.clockSkewMs,
  };
  const canaryGateway = replica.openings ? hearingHere(gateway, (one) => answerDelivery(node, one)) : gateway;
  const reviews = new OpenReviews(agencyLog);
  const sources = openSources({
    ...{ directory: agent.directory.path, registers: config.registers, suite, keys, roster },
    ...{ gateway, pseudonyms, clock, log, leads, shared: agent.shared },
    changed: () => upkeep.registerChanged(),
  });
  const handOver = openHandOvers(agent, asker, () => upkeep.registerChanged());
  const status = () =>
    statusOf({
      membership,
      roster,
      tables,
      canaries,
      pseudonyms,
      connection,
      registers,
      keys,
      watch,
      clock,
      ownPolicy,
      reviews,
      settingsNotices: () => settings.notices,
      sourceProblems: () => sources.problems(),
      handOvers: handOver && (() => handOver.handOvers.states()),
      lostEntries: () => state.lostEntries(),
      logRetentionDays: retentionDays,
    });
  const service = {
    ...asker,
    telemetry,
    keys,
    agencyLog,
    askedAbout,
    retentionDays,
    watch: new ProfessionalWatch({ keys, roster, agencyLog, notices, log }),
  };
  const settings = openSettings(
    agent.directory.config,
    log,
    reloadable(options.setLogLevel, registers, tables, upkeep),
  );
  let stopping = false;
  const readiness = new Readiness({ status, probe: () => state.probe(), stopping: () => stopping, clock });
  telemetry.measure(status, readiness);
  const desk = await openDesk(agent, service, { reviews, notices }, status, log);
  const idempotent = new IdempotentLookups(service, sqlIdempotencyStore(database));
  const app = createApp({
    service,
    roster,
    pushed: sources.pushed,
    status,
    readiness,
    metrics: telemetry.metrics,
    apiKey,
    caseSystems: openCaseSystems(config.caseSystems, agent.ownServices.fetch),
    handOver,
    idempotent,
    log,
    desk,
  });
  // Another replica answers until this one has its tables, and has seen its canaries: it takes no questions before.
  if (replica.openings !== undefined) await upkeep.begin(FIRST_ROUND_MS);
  // First of all: a second agent that cannot listen must not take the questions of the one that does.
  const listen = options.listen ?? config.listen;
  const server = await startHttpServer(app.fetch, listen, log, takesLong, options.comingInMs);
  const connection = openGatewayConnections({
    signer,
    net,
    gatewayKey: membership.gatewayKey,
    wanted: config.gateway.connections,
    otherClocks: otherClocks(agent, clock),
    handler: {
      answer: async (delivery) => {
        const start = clock();
        const reply = await answerDelivery(node, delivery);
        telemetry.answered({ ticket: delivery.ticket, start, end: clock(), outcome: reply.outcome });
        return reply;
      },
      connected: (version) => upkeep.connected(version !== roster.roster.version),
      rosterChanged: () => upkeep.rosterChanged(),
      ...watch.handler,
    },
    log,
  });
  // Whoever begins to lead finishes what the one before it left.
  replica.start(() => {
    upkeep.registerChanged();
    sources.pushed.lookAtAll();
    mover.wake();
  });
  upkeep.start();
  sources.start();
  mover.wake();
  return {
    url: server.url,
    reload() {
      settings.reload();
      ownPolicy.reload();
    },
    async close() {
      stopping = true;
      const batches = desk?.batches.stop();
      upkeep.stop();
      await connection.close();
      await server.close(DRAIN_MS);
      await mover.stop();
      await sources.stop();
      await builder.close();
      await telemetry.close(DRAIN_MS);
      const settled = Promise.all([
        upkeep.settled(),
        watch.view.close(),
        desk?.lookups.settled(),
        batches,
        idempotent.settled(),
      ]);
      await Promise.race([settled, delay(DRAIN_MS, undefined, { ref: false })]);
      await replica.stop();
      await net.close();
      await agent.ownServices.close();
      await database.close();
    },
  };
}
