import type { LogEntry, Policy } from '@hitmachine/protocol';
import { decodeEnrolmentToken, decodeEntry, encodeBase64, signersOf } from '@hitmachine/protocol';
import { MemoryAuditLog } from '../../../gateway/src/adapters/memory/audit-log.ts';
import { MemoryCheckpoints } from '../../../gateway/src/adapters/memory/checkpoints.ts';
import { MemoryDirectory } from '../../../gateway/src/adapters/memory/directory.ts';
import { MemoryLogSearch } from '../../../gateway/src/adapters/memory/log-search.ts';
import { MemoryOpenLookups } from '../../../gateway/src/adapters/memory/open-lookups.ts';
import { MemoryNonces } from '../../../gateway/src/adapters/memory/nonces.ts';
import { AgentConnections } from '../../../gateway/src/adapters/websocket/agent-connections.ts';
import { WorkerEvaluator } from '../../../gateway/src/adapters/worker/evaluator.ts';
import { createApp } from '../../../gateway/src/app.ts';
import { Admission, IMPORT_LIMITS, LOOKUP_LIMITS } from '../../../gateway/src/domain/admission.ts';
import { AnswersOnHand } from '../../../gateway/src/domain/answers-on-hand.ts';
import { CheckpointSigner } from '../../../gateway/src/domain/checkpoint-signer.ts';
import { inviteAgency } from '../../../gateway/src/domain/invitation.ts';
import { gatewayKeys, publicKeys } from '../../../gateway/src/domain/keys.ts';
import { publishPolicy } from '../../../gateway/src/domain/policies.ts';
import { ProfessionalWatch } from '../../../gateway/src/domain/professional-watch.ts';
import { RefusalLog } from '../../../gateway/src/domain/refusal-log.ts';
import { RosterKeeper } from '../../../gateway/src/domain/roster-keeper.ts';
import type { Directory } from '../../../gateway/src/ports/directory.ts';
import type { Nonces } from '../../../gateway/src/ports/nonces.ts';
import type { GatewayDeps } from '../../../gateway/src/routes/context.ts';
import { TestAgency } from './agency.ts';
import { POLICY, SEEDS, SIGNED, TestClock, backend, logTo, random } from './fixtures.ts';

export interface TestOptions {
  readonly directory?: Directory;
  readonly auditLog?: MemoryAuditLog;
  readonly nonces?: Nonces;
  /** Put in force where it is newer than the one that is there. */
  readonly policy?: Policy;
  readonly deps?: Partial<GatewayDeps>;
  readonly clock?: TestClock;
}

/** A gateway without sockets, on the memory adapters unless told otherwise. */
export class TestGateway {
  readonly lines: Record<string, unknown>[] = [];
  readonly deps: GatewayDeps;
  readonly clock: TestClock;
  readonly app: ReturnType<typeof createApp>;

  private constructor(
    deps: Omit<GatewayDeps, 'log' | 'connections' | 'watch' | 'refusals'>,
    clock: TestClock,
    lines: Record<string, unknown>[],
    override: Partial<GatewayDeps>,
  ) {
    this.clock = clock;
    this.lines = lines;
    const log = logTo(lines);
    const connections = new AgentConnections({
      backend,
      identitySeed: SEEDS.identitySeed,
      replica: encodeBase64(random(9)),
      program: '0.1.0',
      runtime: deps.runtime,
      log,
      rosterVersion: () => deps.roster.current.roster.version,
    });
    const watch = new ProfessionalWatch({
      ...deps,
      log,
      settings: () => deps.roster.current.roster.policy.signals,
    });
    const refusals = new RefusalLog({ ...deps, log });
    this.deps = { ...deps, log, connections, watch, refusals, ...override };
    this.app = createApp(this.deps);
  }

  static async make(options: TestOptions = {}): Promise<TestGateway> {
    const clock = options.clock ?? new TestClock();
    const keys = gatewayKeys(backend, SEEDS);
    const directory = options.directory ?? new MemoryDirectory();
    const runtime = { now: clock.now, random };
    const policy = options.policy ?? POLICY;
    const auditLog = options.auditLog ?? new MemoryAuditLog();
    const search = new MemoryLogSearch(auditLog);
    const { federation } = policy;
    if (policy.version > ((await directory.latestPolicy())?.version ?? 0))
      await publishPolicy(
        { keys, directory, auditLog, runtime },
        SIGNED(policy),
        signersOf(publicKeys(keys)),
        federation,
      );
    const deps = {
      keys,
      directory,
      runtime,
      auditLog,
      search,
      published: new MemoryCheckpoints(),
      checkpoints: new CheckpointSigner({ auditLog, keys, federation }),
      nonces: options.nonces ?? new MemoryNonces(),
      evaluator: new WorkerEvaluator(keys.suite, keys.evaluation, random),
      roster: await RosterKeeper.open({ keys, directory, auditLog, search, runtime, federation }),
      openLookups: new MemoryOpenLookups(),
      onHand: new AnswersOnHand(),
      admission: { lookups: new Admission(LOOKUP_LIMITS), imports: new Admission(IMPORT_LIMITS) },
      stopping: () => false,
    };
    return new TestGateway(deps, clock, [], options.deps ?? {});
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    return Promise.resolve(this.app.request(`http://gateway.test${path}`, init));
  }

  /** A new token for an agency: the secret in it. */
  async invite(id: string, clients = 100): Promise<Uint8Array> {
    const deps = { ...this.deps, gatewayKey: this.deps.keys.identityKey };
    const { token } = await inviteAgency(deps, { id, name: `Agency ${id}`, kind: 'police', clients });
    return decodeEnrolmentToken(token).secret;
  }

  /** An agency that is on the roster, with one register each of the given names. */
  async enrolled(
    id: string,
    registers: readonly string[] = ['incidenten'],
    clients = 100,
  ): Promise<TestAgency> {
    const agency = new TestAgency(id, (path, init) => this.request(path, init), this.clock.now);
    const response = await agency.enrol(await this.invite(id, clients), registers);
    if (response.status !== 201) throw new Error(`enrolment of ${id}: ${await response.text()}`);
    return agency;
  }

  get version(): number {
    return this.deps.roster.current.roster.version;
  }

  /** The entries in the log, oldest first. */
  async audit(): Promise<readonly LogEntry[]> {
    return (await this.deps.auditLog.leaves(0, 10_000)).map(decodeEntry);
  }
}
