import { setTimeout as delay } from 'node:timers/promises';
import { Secret } from '@hitmachine/protocol';
import { openGatewayConnection } from './adapters/http/gateway-connection.ts';
import { sqliteAgencyLog } from './adapters/sqlite/agency-log.ts';
import { sqliteEpochStore } from './adapters/sqlite/epoch-store.ts';
import { sqlitePseudonymStore } from './adapters/sqlite/pseudonym-store.ts';
import { startHttpServer } from './adapters/http/server.ts';
import { workerTableBuilder } from './adapters/workers/table-builder.ts';
import { createApp } from './app.ts';
import { readSecretFile } from './directory.ts';
import { answerDelivery } from './domain/answer-question.ts';
import { AnsweringTables } from './domain/answering-tables.ts';
import { canaryRound } from './domain/canary-round.ts';
import { CanaryWatch } from './domain/canary-watch.ts';
import { EpochKeeper, bitsOf } from './domain/epoch-keeper.ts';
import { publishRegisters } from './domain/publish-registers.ts';
import { RosterKeeper } from './domain/roster-keeper.ts';
import { IncomingSessions } from './domain/incoming-sessions.ts';
import { OutgoingSessions } from './domain/outgoing-sessions.ts';
import { statusOf } from './domain/status.ts';
import { Upkeep } from './domain/upkeep.ts';
import type { OpenedAgent } from './open-agent.ts';
import { openAgent } from './open-agent.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import { secureRandom } from './random.ts';

export interface StartOptions {
  /** The agent's directory. */
  readonly directory: string;
  readonly log: OperationalLog;
  /** Takes the place of the configuration's `listen`. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
  /** Milliseconds between two canaries; a minute unless told. */
  readonly canaryIntervalMs?: number | undefined;
}

export interface RunningAgent {
  /** Where the agency's own API listens. */
  readonly url: string;
  /** Lets running answers and lookups end, and stops. */
  close(): Promise<void>;
}

/** Time that running requests and rounds get when the agent is told to stop. */
const DRAIN_MS = 10_000;

/** Starts an agent: the loopback API, the connection to the gateway, the tables and the canaries. */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const agent = await openAgent(options.directory);
  try {
    return await start(agent, options);
  } catch (error) {
    agent.database.close();
    throw error;
  }
}

async function start(agent: OpenedAgent, options: StartOptions): Promise<RunningAgent> {
  const { log, canaryIntervalMs = 60_000 } = options;
  const { backend, suite, keys, config, database, state } = agent;
  const { membership, gateway, signer } = agent.enrolled();
  const apiKey = new Secret(readSecretFile(agent.directory.apiKey).toString('utf8').trim());
  const clock = Date.now;
  const random = secureRandom;
  const roster = new RosterKeeper(backend, state, membership, log);
  const pseudonyms = sqlitePseudonymStore(database);
  const agencyLog = sqliteAgencyLog(database, backend, keys.logKey, random);
  const canaries = new CanaryWatch(clock, 3 * canaryIntervalMs);
  const tables = new AnsweringTables(suite, keys, membership.agency, config.registers, canaries);
  const builder = workerTableBuilder();
  const epochs = new EpochKeeper({
    suite,
    keys,
    registers: config.registers,
    roster,
    pseudonyms,
    epochs: sqliteEpochStore(database),
    builder,
    tables,
    canaries,
    clock,
    log,
    publishBits: (bits) => publishRegisters(roster, gateway, config.registers, bits),
  });
  epochs.resume();

  const asker = {
    suite,
    backend,
    random,
    clock,
    roster,
    gateway,
    log,
    requireLookupProof: config.requireLookupProof,
    sessions: new OutgoingSessions({ backend, keys, roster, clock, random }),
  };
  const upkeep = new Upkeep({
    log,
    state,
    canaryIntervalMs,
    refreshRoster: async () => {
      roster.accept(await gateway.roster());
      // An import that ran beside us may have announced the sizes of tables that are gone.
      const bits = tables.stored === undefined ? undefined : bitsOf(tables.stored);
      await publishRegisters(roster, gateway, config.registers, bits);
    },
    checkPins: () => roster.checkPins(),
    refreshEpoch: () => epochs.refresh(),
    canary: () => canaryRound({ ...asker, keys, canaries, registers: config.registers }),
  });
  const incoming = new IncomingSessions({ backend, keys, roster, clock });
  const node = {
    suite,
    backend,
    random,
    clock,
    roster,
    sessions: incoming,
    tables,
    agencyLog,
    log,
    quotas: config.quotas,
  };
  const status = () =>
    statusOf({
      membership,
      roster,
      tables,
      canaries,
      pseudonyms,
      connection,
      registers: config.registers,
      keys,
    });
  const app = createApp({ service: { ...asker, keys, agencyLog }, roster, status, apiKey, log });
  // First of all: a second agent that cannot listen must not take the questions of the one that does.
  const server = await startHttpServer(app.fetch, options.listen ?? config.listen, log);
  const connection = openGatewayConnection(
    signer,
    { url: membership.gatewayUrl, key: membership.gatewayKey },
    {
      answer: (delivery) => answerDelivery(node, delivery),
      connected: (version) => upkeep.connected(version !== roster.roster.version),
      rosterChanged: () => upkeep.rosterChanged(),
    },
    log,
  );
  upkeep.start();
  return {
    url: server.url,
    async close() {
      upkeep.stop();
      await connection.close();
      await server.close(DRAIN_MS);
      await builder.close();
      await Promise.race([upkeep.settled(), delay(DRAIN_MS, undefined, { ref: false })]);
      database.close();
    },
  };
}
