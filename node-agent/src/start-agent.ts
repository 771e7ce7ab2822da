import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { HitError, Secret } from '@hitmachine/protocol';
import { openGatewayConnection } from './adapters/http/gateway-connection.ts';
import { sqliteAgencyLog } from './adapters/sqlite/agency-log.ts';
import { sqliteEpochStore } from './adapters/sqlite/epoch-store.ts';
import { sqlitePseudonymStore } from './adapters/sqlite/pseudonym-store.ts';
import { workerTagComputer } from './adapters/workers/tag-computer.ts';
import { createApp } from './app.ts';
import { readSecretFile } from './directory.ts';
import { answerDelivery } from './domain/answer-question.ts';
import { AnsweringTables } from './domain/answering-tables.ts';
import { canaryRound } from './domain/canary-round.ts';
import { CanaryWatch } from './domain/canary-watch.ts';
import { EpochKeeper } from './domain/epoch-keeper.ts';
import { publishRegisters } from './domain/publish-registers.ts';
import { RosterKeeper } from './domain/roster-keeper.ts';
import { IncomingSessions, OutgoingSessions } from './domain/sessions.ts';
import { statusOf } from './domain/status.ts';
import { Upkeep } from './domain/upkeep.ts';
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

/** Starts an agent: the loopback API, the connection to the gateway, the tables and the canaries. */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const { log, canaryIntervalMs = 60_000 } = options;
  const agent = await openAgent(options.directory);
  const { backend, suite, keys, config, database, state } = agent;
  const { membership, gateway, signer } = agent.enrolled();
  const apiKey = new Secret(readSecretFile(agent.directory.apiKey).toString('utf8').trim());
  const clock = Date.now;
  const random = secureRandom;
  const roster = new RosterKeeper(backend, state, membership, log);
  const pseudonyms = sqlitePseudonymStore(database);
  const agencyLog = sqliteAgencyLog(database, backend, keys.logKey, random);
  const canaries = new CanaryWatch(clock, 3 * canaryIntervalMs);
  const tables = new AnsweringTables(suite, keys, config.registers, canaries);
  const tags = workerTagComputer();
  const epochs = new EpochKeeper({
    suite,
    keys,
    registers: config.registers,
    roster,
    pseudonyms,
    epochs: sqliteEpochStore(database),
    tags,
    tables,
    random,
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
    sessions: new OutgoingSessions({ backend, keys, roster, clock, random }),
  };
  const upkeep = new Upkeep({
    log,
    state,
    canaryIntervalMs,
    refreshRoster: async () => {
      roster.accept(await gateway.roster());
      await publishRegisters(roster, gateway, config.registers);
    },
    checkPins: () => roster.checkPins(),
    refreshEpoch: () => epochs.refresh(),
    canary: () => canaryRound({ ...asker, keys, canaries, registers: config.registers }),
  });
  const incoming = new IncomingSessions({ backend, keys, roster, clock });
  const node = {
    suite,
    backend,
    clock,
    roster,
    sessions: incoming,
    tables,
    agencyLog,
    log,
    personsPerAgencyPerDay: config.quotas.personsPerAgencyPerDay,
  };
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
  const listen = options.listen ?? config.listen;
  const server = serve({ fetch: app.fetch, hostname: listen.host, port: listen.port });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', () => resolve());
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'another program listens there already' : cause.message;
      reject(new HitError('config-invalid', `listen: ${listen.host}:${listen.port}: ${reason}`, { cause }));
    });
  });
  upkeep.start();
  const { port, address, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      upkeep.stop();
      await connection.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await tags.close();
      await upkeep.settled();
      database.close();
    },
  };
}
