import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnrolmentToken, decodeEntry } from '@hitmachine/protocol';
import type { LogEntry, Policy } from '@hitmachine/protocol';
import { MemoryOpenLookups } from '../../../gateway/src/adapters/memory/open-lookups.ts';
import { MemoryReplicaRegistry } from '../../../gateway/src/adapters/memory/replica-registry.ts';
import { openStore } from '../../../gateway/src/cli/gateway-store.ts';
import { gatewayKeys } from '../../../gateway/src/domain/keys.ts';
import { inviteAgency } from '../../../gateway/src/domain/invitation.ts';
import type { RunningGateway } from '../../../gateway/src/start-gateway.ts';
import { startGateway } from '../../../gateway/src/start-gateway.ts';
import { TestAgency } from './agency.ts';
import { POLICY, SEEDS, backend, logTo, random } from './fixtures.ts';

const runtime = { now: Date.now, random };

/** Replicas of one gateway in one process, on one database, with real links between them. */
export class Replicas {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-replicas-test-'));
  readonly lines: Record<string, unknown>[] = [];
  readonly running: RunningGateway[] = [];
  readonly registry = new MemoryReplicaRegistry();
  readonly store = openStore(join(this.folder, 'gateway.sqlite'));
  readonly #openLookups = new MemoryOpenLookups();
  readonly #policy: Policy;

  constructor(policy: Policy = POLICY) {
    this.#policy = policy;
  }

  /** Starts one more. */
  async start(): Promise<RunningGateway> {
    const gateway = await startGateway({
      backend,
      seeds: SEEDS,
      federation: this.#policy.federation,
      firstPolicy: async () => this.#policy,
      listen: { host: '127.0.0.1', port: 0 },
      store: { ...this.store, openLookups: this.#openLookups },
      replicas: { registry: this.registry, listen: { host: '127.0.0.1', port: 0 } },
      publishEveryMs: 200,
      runtime,
      log: logTo(this.lines),
    });
    this.running.push(gateway);
    return gateway;
  }

  urlOf(place: number): string {
    return this.running[place]?.url ?? '';
  }

  async enrolled(id: string, registers: readonly string[] = ['incidenten']): Promise<TestAgency> {
    const { identityKey } = gatewayKeys(backend, SEEDS);
    const deps = { ...this.store, runtime, gatewayKey: identityKey };
    const { token } = await inviteAgency(deps, { id, name: id, kind: 'police', clients: 100 });
    const agency = new TestAgency(id, (path, init) => fetch(`${this.urlOf(0)}${path}`, init), Date.now);
    const response = await agency.enrol(decodeEnrolmentToken(token).secret, registers);
    if (response.status !== 201) throw new Error(await response.text());
    return agency;
  }

  async version(): Promise<number> {
    return (await this.store.directory.latestRoster())?.version ?? 0;
  }

  async audit(): Promise<readonly LogEntry[]> {
    return (await this.store.auditLog.leaves(0, 10_000)).map(decodeEntry);
  }

  async remove(): Promise<void> {
    for (const gateway of this.running.splice(0)) await gateway.close();
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }
}
