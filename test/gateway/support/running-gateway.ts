import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEntry, Policy } from '@hitmachine/protocol';
import { decodeEnrolmentToken, decodeEntry } from '@hitmachine/protocol';
import { inviteAgency } from '../../../gateway/src/domain/invitation.ts';
import { gatewayKeys } from '../../../gateway/src/domain/keys.ts';
import type { GatewayStore } from '../../../gateway/src/cli/gateway-store.ts';
import { openStore } from '../../../gateway/src/cli/gateway-store.ts';
import type { GatewayOptions, RunningGateway } from '../../../gateway/src/start-gateway.ts';
import { startGateway } from '../../../gateway/src/start-gateway.ts';
import { TestAgency } from './agency.ts';
import { POLICY, SEEDS, backend, logTo, random } from './fixtures.ts';

const runtime = { now: Date.now, random };

/** A real gateway on a free port with a real database in a folder of its own. */
export class SocketGateway {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  readonly lines: Record<string, unknown>[] = [];
  readonly identityKey = gatewayKeys(backend, SEEDS).identityKey;
  readonly #change: Partial<Pick<GatewayOptions, 'publishEveryMs' | 'replica' | 'tls'>> & {
    readonly policy?: Policy;
  };
  #store: GatewayStore | undefined;
  #running: RunningGateway | undefined;

  constructor(
    change: Partial<Pick<GatewayOptions, 'publishEveryMs' | 'replica' | 'tls'>> & {
      readonly policy?: Policy;
    } = {},
  ) {
    this.#change = change;
  }

  async start(): Promise<this> {
    this.#store = openStore(join(this.folder, 'gateway.sqlite'));
    const { policy = POLICY, ...change } = this.#change;
    this.#running = await startGateway({
      backend,
      seeds: SEEDS,
      federation: policy.federation,
      firstPolicy: async () => policy,
      listen: { host: '127.0.0.1', port: 0 },
      store: this.#store,
      runtime,
      log: logTo(this.lines),
      ...change,
    });
    return this;
  }

  /** Stops as the program does at SIGTERM; the database stays. */
  async stop(): Promise<void> {
    await this.#running?.close();
    this.#running = undefined;
    await this.#store?.close();
    this.#store = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  get url(): string {
    return this.#running?.url ?? '';
  }

  get store(): GatewayStore {
    if (this.#store === undefined) throw new Error('the gateway is not running');
    return this.#store;
  }

  /** Takes in renewed certificates. */
  reload(): void {
    this.#running?.reload();
  }

  async enrolled(
    id: string,
    registers: readonly string[] = ['incidenten'],
    send: (url: URL, init?: RequestInit) => Promise<Response> = fetch,
  ): Promise<TestAgency> {
    const deps = { ...this.store, runtime, gatewayKey: this.identityKey };
    const { token } = await inviteAgency(deps, { id, name: id, kind: 'police', clients: 100 });
    const agency = new TestAgency(id, (path, init) => send(new URL(path, this.url), init), Date.now);
    const response = await agency.enrol(decodeEnrolmentToken(token).secret, registers);
    if (response.status !== 201) throw new Error(await response.text());
    return agency;
  }

  /** The entries in the log, oldest first. */
  async audit(): Promise<readonly LogEntry[]> {
    return (await this.store.auditLog.leaves(0, 10_000)).map(decodeEntry);
  }

  async version(): Promise<number> {
    return (await this.store.directory.latestRoster())?.version ?? 0;
  }
}
