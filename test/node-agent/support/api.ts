import { expect } from 'vitest';
import { Secret } from '@hitmachine/protocol';
import { Metrics } from '@hitmachine/service/metrics';
import { openSources } from '../../../node-agent/src/open-sources.ts';
import { Readiness } from '../../../node-agent/src/domain/running/readiness.ts';
import { sqlIdempotencyStore } from '../../../node-agent/src/adapters/sql/idempotency-store.ts';
import { createApp } from '../../../node-agent/src/app.ts';
import { IdempotentLookups } from '../../../node-agent/src/domain/asking/idempotent-lookups.ts';
import type { CaseSystems } from '../../../node-agent/src/domain/asking/case-systems.ts';
import { StandInGateway, suite } from './gateway.ts';
import { TestNode, numbers } from './node.ts';
import { ROLE } from './policy.ts';

export const KEY = 'sleutel-van-deze-agent-0123456789';
export const MARK = 'merkteken';
export const [known] = numbers(1, 210_000_000) as [string];

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly fields?: readonly { readonly field: string; readonly detail: string }[];
}

/** The API of one agency that knows one client, without a socket. */
export class TestApi {
  readonly gateway: StandInGateway;
  readonly node: TestNode;
  readonly app: ReturnType<typeof createApp>;
  connected = true;

  private constructor(gateway: StandInGateway, node: TestNode, caseSystems: CaseSystems | undefined) {
    this.gateway = gateway;
    this.node = node;
    const { service, roster, log } = node;
    this.app = createApp({
      service,
      roster,
      pushed: openSources({
        ...{ directory: node.folder, registers: node.registers, suite, keys: node.keys, roster, log },
        ...{
          gateway: service.gateway,
          pseudonyms: node.pseudonyms,
          clock: node.clock,
          leads: () => true,
          changed: () => undefined,
        },
      }).pushed,
      status: () => node.status(this.connected),
      readiness: new Readiness({
        status: () => node.status(this.connected),
        probe: () => node.state.probe(),
        stopping: () => false,
        clock: Date.now,
      }),
      metrics: new Metrics(),
      apiKey: new Secret(KEY),
      caseSystems,
      idempotent: new IdempotentLookups(service, sqlIdempotencyStore(node.stores)),
      log,
    });
  }

  static async open(caseSystems?: CaseSystems): Promise<TestApi> {
    const gateway = new StandInGateway();
    const node = await TestNode.join(gateway, 'politie');
    await node.import([known]);
    await node.upkeep();
    return new TestApi(gateway, node, caseSystems);
  }

  /** The same agency in a new process: what was in memory alone has gone. */
  again(): TestApi {
    return new TestApi(this.gateway, this.node, undefined);
  }

  async call(path: string, init: RequestInit = {}, authorization = `Bearer ${KEY}`): Promise<Response> {
    return this.app.request(path, {
      ...init,
      headers: { authorization, ...(init.headers as Record<string, string>) },
    });
  }

  /** `POST /v1/lookups` with a text as it is, or a value as JSON. */
  post(content: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.call('/v1/lookups', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof content === 'string' ? content : JSON.stringify(content),
    });
  }
}

/** A lookup of the one client, changed. */
export const body = (change: object = {}) => ({
  purpose: 'casusoverleg-zvh',
  caseReference: 'ZVH-1',
  professional: 'j.jansen',
  role: ROLE,
  persons: [{ bsn: known }],
  ...change,
});

/** The problem document of a response; fails when it is none. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem).toMatchObject({
    type: `urn:hitmachine:error:${problem.code}`,
    title: expect.any(String) as string,
  });
  return problem;
}
