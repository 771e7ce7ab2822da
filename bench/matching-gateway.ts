import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentFrameCodec, encodeBase64, gatewayFrameCodec, questionsCodec } from '@hitmachine/protocol';
import { MemoryNonces } from '../gateway/src/adapters/memory/nonces.ts';
import { evaluateAll } from '../gateway/src/adapters/worker/evaluation.ts';
import { openStore } from '../gateway/src/cli/gateway-store.ts';
import { CheckpointSigner } from '../gateway/src/domain/checkpoint-signer.ts';
import { fanOut } from '../gateway/src/domain/fan-out.ts';
import { gatewayKeys } from '../gateway/src/domain/keys.ts';
import type { Connections } from '../gateway/src/ports/connections.ts';
import type { SignedParts, TestAgency } from '../test/gateway/support/agency.ts';
import { elements } from '../test/gateway/support/agency.ts';
import { POLICY, SEEDS, backend, random } from '../test/gateway/support/fixtures.ts';
import { TestGateway } from '../test/gateway/support/gateway.ts';
import { question } from '../test/gateway/support/questions.ts';
import type { Effort, Subject } from './rounds.ts';
import { measureInTurns, repeated } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** Registers that a lookup asks, each of another agency. */
const NODES = 20;
/** Lookups that wait for their entry together. */
const IN_FLIGHT = 64;
const UNLIMITED = 1e9;
const MOST_IN_A_BURST = 1_000_000;

export interface GatewayFigures {
  /** Microseconds of processor time, by what is done. */
  readonly costs: Readonly<Record<string, Spread>>;
  /** Bytes of the request that opens a lookup of one person, and of what comes back. */
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** An answer of a node with 10,000 clients, as far as the gateway can tell. */
const ANSWER = random(4_750);

/** Connections whose other end answers at once; frames are coded as they are with sockets. */
const answering: Pick<Connections, 'deliver'> = {
  async deliver(delivery) {
    gatewayFrameCodec.encode({ type: 'delivery', delivery: 1, answerBy: 0, ...delivery });
    const reply = agentFrameCodec.decode(answerFrame);
    return reply.type === 'reply' ? { outcome: reply.outcome, ciphertext: reply.ciphertext } : undefined;
  },
};
const answerFrame = agentFrameCodec.encode({
  ...{ type: 'reply', delivery: 1, outcome: 'answered', ciphertext: ANSWER },
});

/** The requests of lookups by one person and two token types, sent and answered as with sockets. */
function lookups(gateway: TestGateway, agency: TestAgency): Subject {
  let requests: SignedParts[] = [];
  const body = agency.lookup(gateway.version, { elements: encodeBase64(elements(2)) });
  return {
    name: 'a lookup of one person: signature, policy, quotas, evaluation and proof, log, receipt',
    prepare(times) {
      gateway.clock.time += 60_000;
      requests = Array.from({ length: times }, () => agency.sign('POST', '/v1/lookups', body));
    },
    async run(times) {
      for (let at = 0; at < times; at += IN_FLIGHT) {
        const responses = await Promise.all(
          requests.slice(at, at + IN_FLIGHT).map((request) => agency.post(request)),
        );
        for (const response of responses) if (response.status !== 200) throw new Error(await response.text());
      }
    },
  };
}

/** Questions to nodes and their answers: those of one lookup at a time. */
function messages(gateway: TestGateway): Subject {
  const deps = { ...gateway.deps, connections: { ...gateway.deps.connections, ...answering } };
  const nodes = Array.from({ length: NODES }, (_, i) => `agency-${i}`);
  const body = questionsCodec.encode({
    questions: nodes.map((node, i) => ({ ...question(node, i), ciphertext: random(91) })),
  });
  return {
    name: 'a node message: question out, answer in, log, answer out',
    async run(times) {
      for (let at = 0; at < times; at += NODES) {
        const lookup = {
          lookupId: encodeBase64(random(16)),
          agency: 'politie',
          tickets: new Map(nodes.map((node) => [node, random(250)])),
          evidence: random(290),
          evidenceSignature: random(64),
          capabilityHash: random(32),
          expiresAt: gateway.clock.now() + 60_000,
        };
        await gateway.deps.openLookups.keep(lookup, gateway.clock.now());
        const wanted = questionsCodec.decode(body).questions.slice(0, times - at);
        for await (const report of await fanOut(deps, lookup, wanted))
          if (report.length < 1_000) throw new Error();
      }
    },
  };
}

/** Measures what the gateway does for a lookup and for each node that it asks, with its log on the disk. */
export async function measureGateway(effort: Effort): Promise<GatewayFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-bench-'));
  const store = openStore(join(folder, 'gateway.sqlite'));
  try {
    const keys = gatewayKeys(backend, SEEDS);
    const { auditLog } = store;
    const gateway = await TestGateway.make({
      nonces: new MemoryNonces(UNLIMITED),
      policy: {
        ...POLICY,
        quotas: { agency: { day: UNLIMITED }, professional: { day: UNLIMITED } },
        // One professional asks all of it, which would stand out.
        signals: { ...POLICY.signals, burst: MOST_IN_A_BURST, slowDownSeconds: 0 },
      },
      deps: {
        auditLog,
        checkpoints: new CheckpointSigner({ auditLog, keys, federation: POLICY.federation }),
      },
    });
    const agency = await gateway.enrolled('politie');
    const two = elements(2);
    const evaluation = (proof: boolean): Subject =>
      repeated(`evaluation of two elements ${proof ? 'with its proof' : 'without a proof'}`, () =>
        evaluateAll(keys.suite, keys.evaluation.reveal(), two, { proof, random }),
      );
    const subjects = [evaluation(false), evaluation(true), lookups(gateway, agency), messages(gateway)];
    const costs = await measureInTurns(subjects, effort);
    const body = agency.lookup(gateway.version);
    return {
      costs: Object.fromEntries(subjects.map(({ name }) => [name, spreadOf(costs(name))])),
      requestBytes: JSON.stringify(body).length,
      responseBytes: JSON.stringify(await agency.opened(gateway.version)).length,
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}
