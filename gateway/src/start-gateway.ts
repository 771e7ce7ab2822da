import { hostname } from 'node:os';
import type { Backend, Policy } from '@hitmachine/protocol';
import { REPLICA_BYTES, encodeBase64, keysFingerprint } from '@hitmachine/protocol';
import type { IdentityProvider } from '@hitmachine/web';
import { watchEventLoop } from './adapters/process/event-loop.ts';
import { MemoryOpenLookups } from './adapters/memory/open-lookups.ts';
import { AgentConnections } from './adapters/websocket/agent-connections.ts';
import { MAX_FRAME_BYTES } from './adapters/websocket/agent-connection.ts';
import { startHttpServer } from './adapters/http/server.ts';
import { KeyedEvaluator } from './adapters/worker/keyed-evaluator.ts';
import { createApp } from './app.ts';
import type { Address } from './config.ts';
import { Admission, IMPORT_LIMITS, LOOKUP_LIMITS } from './domain/admission.ts';
import { AnswersOnHand } from './domain/answers-on-hand.ts';
import { Auditors } from './domain/auditors.ts';
import { CheckpointSigner } from './domain/checkpoint-signer.ts';
import type { GatewayKeys, GatewaySeeds } from './domain/keys.ts';
import { keepTellingKeys } from './domain/held-keys.ts';
import { openLog } from './domain/log-opening.ts';
import { keepFollowingDirectory } from './domain/membership.ts';
import { publishFirstPolicy } from './domain/policies.ts';
import { ProfessionalWatch } from './domain/professional-watch.ts';
import { RefusalLog, keepWritingRefusals } from './domain/refusal-log.ts';
import { RosterKeeper } from './domain/roster-keeper.ts';
import type { TakenUp } from './domain/serving-keys.ts';
import { ServingKeys } from './domain/serving-keys.ts';
import { Witnessing, keepPublishing } from './domain/witnessing.ts';
import type { OperationalLog } from './log.ts';
import { openMetrics } from './open-metrics.ts';
import type { ReplicaOptions } from './open-replicas.ts';
import { openReplicas } from './open-replicas.ts';
import type { AuditLog } from './ports/audit-log.ts';
import type { Checkpoints } from './ports/checkpoints.ts';
import type { Directory } from './ports/directory.ts';
import type { LogSearch } from './ports/log-search.ts';
import type { Nonces } from './ports/nonces.ts';
import type { OpenLookups } from './ports/open-lookups.ts';
import type { ProcessingLog } from './ports/processing-log.ts';
import type { Runtime } from './ports/runtime.ts';
import type { GatewayDeps } from './routes/context.ts';
import { GATEWAY_VERSION } from './version.ts';
import type { TlsContent } from './tls-files.ts';
import { RESPONSE_HEADERS } from './routes/headers.ts';

/** The auditors' pages. */
export interface ConsoleOptions {
  /** Where browsers find the gateway: scheme, host and port. */
  readonly baseUrl: string;
  readonly provider: IdentityProvider;
  /** The role that may read the log. */
  readonly auditorRole: string;
  readonly sessionMs: number;
  readonly processingLog: ProcessingLog | undefined;
}

export interface GatewayOptions {
  readonly backend: Backend;
  readonly seeds: GatewaySeeds;
  readonly federation: string;
  /** What is put in force where no policy was published yet. */
  readonly firstPolicy: () => Promise<Policy>;
  readonly listen: Address;
  /** Certificate and key where the gateway speaks TLS itself; asked again for every renewal. */
  readonly tls?: (() => TlsContent) | undefined;
  readonly store: {
    readonly directory: Directory;
    readonly auditLog: AuditLog;
    readonly search: LogSearch;
    readonly published: Checkpoints;
    readonly nonces: Nonces;
    /** In memory unless told otherwise: then the gateway is one process. */
    readonly openLookups?: OpenLookups | undefined;
    formerLogDigest(): Promise<Uint8Array | undefined>;
  };
  /** Names this process towards agents: 9 bytes in base64url; random unless told. */
  readonly replica?: string | undefined;
  /** How this process finds other replicas and is found by them; without it there is this one alone. */
  readonly replicas?: ReplicaOptions | undefined;
  /** Milliseconds between two published checkpoints; unless told, five seconds. */
  readonly publishEveryMs?: number | undefined;
  /** Where metrics are read; without it nothing is counted. */
  readonly metrics?: { readonly listen: Address } | undefined;
  /** Without it there is no console. */
  readonly console?: ConsoleOptions | undefined;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

export interface RunningGateway {
  readonly url: string;
  /** Where metrics are read, if anywhere. */
  readonly metricsUrl?: string | undefined;
  /** Takes in renewed certificates now. */
  reload(): void;
  /** Takes up an evaluation key that came into the key store, or forgets the one before that is gone from it. */
  takeKeys(seeds: GatewaySeeds): Promise<void>;
  /** Finishes the running requests, closes the agents' connections and stops. The store is left to its owner. */
  close(): Promise<void>;
}

const PUBLISH_EVERY_MS = 5_000;
/** Time that running requests get beyond the longest wait for a node. */
const DRAIN_SLACK_MS = 1_000;

/** Wires a gateway and starts it. Resolves once it accepts requests; rejects when it cannot listen. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { backend, store, runtime, log, federation } = options;
  const keys = new ServingKeys(backend, options.seeds);
  await openLog({ ...store, runtime }, federation, keys.identityKey);
  await publishFirstPolicy({ ...store, keys, runtime }, options.firstPolicy, federation);
  const roster = await RosterKeeper.open({ ...store, keys, runtime, federation });
  const checkpoints = new CheckpointSigner({ auditLog: store.auditLog, keys, federation });
  const evaluator = new KeyedEvaluator(keys.suite, keys, runtime.random);
  const replica = options.replica ?? encodeBase64(runtime.random(REPLICA_BYTES));
  const local = new AgentConnections({
    backend,
    identitySeed: keys.identitySeed,
    replica,
    program: GATEWAY_VERSION,
    runtime,
    log,
    rosterVersion: () => roster.current.roster.version,
  });
  const opened = await openReplicas({ ...options, id: replica, local, log });
  const { connections, replicas } = opened;
  local.onChange(() => void replicas.meet());
  roster.onChange((rosterVersion) => {
    log.info('roster-changed', { rosterVersion });
    connections.announceRoster(rosterVersion);
  });
  const refusals = new RefusalLog({ auditLog: store.auditLog, runtime, log });
  const writingRefusals = keepWritingRefusals(refusals);
  const loop = watchEventLoop();
  let stopping = false;
  const metrics = options.metrics === undefined ? undefined : openMetrics();
  const app = createApp({
    ...store,
    keys,
    runtime,
    log,
    evaluator,
    connections,
    roster,
    checkpoints,
    openLookups: store.openLookups ?? new MemoryOpenLookups(),
    onHand: new AnswersOnHand(),
    admission: {
      lookups: new Admission(LOOKUP_LIMITS, loop.lateMs),
      imports: new Admission(IMPORT_LIMITS, loop.lateMs),
    },
    watch: new ProfessionalWatch({
      auditLog: store.auditLog,
      runtime,
      log,
      settings: () => roster.current.roster.policy.signals,
    }),
    refusals,
    telemetry: metrics?.telemetry,
    console: consoleOf(options, keys),
    stopping: () => stopping,
  });
  const server = await startHttpServer(
    {
      fetch: (request, environment) => app.fetch(request, environment),
      onConnection: (socket, accepted) => local.attach(socket, accepted),
      maxFrameBytes: MAX_FRAME_BYTES,
      tls: options.tls,
      headers: RESPONSE_HEADERS,
    },
    options.listen,
  );
  const measured = {
    ...store,
    connections,
    roster,
    runtime,
    log,
    lateMs: loop.lateMs,
    stopping: () => stopping,
  };
  const operations = await (options.metrics && metrics?.serve(measured, options.metrics.listen))?.catch(
    async (error: unknown) => {
      await server.drain(0);
      await server.close();
      throw error;
    },
  );
  const following = keepFollowingDirectory({ ...store, roster, connections, runtime, log });
  const witnessing = new Witnessing({ ...store, checkpoints, connections, roster, keys, runtime, log });
  const publishing = keepPublishing(
    witnessing,
    { log, leads: () => replicas.leads() },
    options.publishEveryMs ?? PUBLISH_EVERY_MS,
  );
  const telling = await keepTellingKeys({ ...store, keys, replica, host: hostname(), log });
  await replicas.start();
  return {
    url: server.url,
    metricsUrl: operations?.url,
    reload: () => server.renew(),
    async takeKeys(seeds) {
      const taken = keys.take(seeds, roster.current.roster.gateway.evaluationKey);
      logTaken(taken, keys, log);
      if (taken === 'forgotten') {
        // The next roster does not name the key that is gone; until then it may be asked for. What follows the directory
        // tells of one that cannot be read, and makes that roster later.
        await roster.refresh().catch(() => undefined);
        await evaluator.forget();
      }
      await telling.tell();
    },
    async close() {
      stopping = true;
      await publishing.stop();
      // While all goes on as before: an agent finds another replica first.
      if (options.replicas !== undefined) await local.leave();
      // No more questions come from other replicas; agents stay until what runs here is done.
      await replicas.stop();
      const deadlineMs = roster.current.roster.policy.settings.answerTimeoutMs + DRAIN_SLACK_MS;
      await Promise.all([server.drain(deadlineMs), opened.drain(deadlineMs)]);
      // Until here: whoever is taken off meanwhile gets no answer of what still runs.
      await following.stop();
      await telling.stop();
      await local.close();
      await opened.close();
      await server.close();
      await writingRefusals.stop();
      await evaluator.close();
      await operations?.drain(0);
      await operations?.close();
      loop.close();
    },
  };
}

function consoleOf(options: GatewayOptions, keys: GatewayKeys): GatewayDeps['console'] {
  const { console, backend, runtime, log, store } = options;
  if (console === undefined) return undefined;
  const { baseUrl, processingLog } = console;
  const { auditLog } = store;
  const auditors = new Auditors({
    ...console,
    backend,
    runtime,
    log,
    auditLog,
    seed: keys.identitySeed,
  });
  return { baseUrl, processingLog, auditors };
}

function logTaken(taken: TakenUp, keys: ServingKeys, log: OperationalLog): void {
  const newest = keys.evaluations.at(-1)?.key ?? '';
  if (taken === 'taken') log.info('evaluation-key-taken', { key: keysFingerprint(newest) });
  if (taken === 'forgotten') log.info('evaluation-key-forgotten', { key: keysFingerprint(newest) });
  if (taken === 'needs-restart') log.warn('keystore-needs-restart');
}
