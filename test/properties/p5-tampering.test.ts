import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AgentReply, Backend, Roster } from '@hitmachine/protocol';
import {
  ROSTER_KIND,
  agentFrameCodec,
  createSuite,
  deliveryReportCodec,
  encodeBase64,
  evaluateElements,
  gatewayFrameCodec,
  loadSodium,
  openKeystore,
  signDocument,
  ticketCodec,
} from '@hitmachine/protocol';
import type { LookupResult } from '../harness/agency.ts';
import { TestAgency } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import type { Heard } from '../harness/tap.ts';
import { replyIn } from '../harness/tap.ts';
import type { Delivery } from './support/views.ts';
import { KNOWN, startWaalstad } from './support/waalstad.ts';

const NODES = ['politie/incidenten', 'reclassering/toezicht'];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

const statuses = ({ persons }: LookupResult): string[] =>
  (persons[0]?.registers ?? []).map(({ status, reason }) =>
    reason === undefined ? status : `${status}: ${reason}`,
  );

describe('P5: the gateway cannot ask in the name of an agency, swap a key or change a reply unnoticed', () => {
  let federation: Federation;
  let backend: Backend;

  beforeAll(async () => {
    backend = await loadSodium();
    federation = await startWaalstad();
    await federation.agency('vragen').lookup([KNOWN]);
  });
  beforeEach(() => {
    federation.tap!.meddle = (heard) => heard.bytes;
  });
  afterAll(() => federation.close());

  const ask = (): Promise<LookupResult> => federation.agency('vragen').lookup([KNOWN], { registers: NODES });

  /** Changes what nodes send to the gateway over their connections. */
  function onReplies(change: (frame: AgentReply, node: string) => AgentReply | undefined): void {
    federation.tap!.meddle = (heard) => {
      if (heard.what !== 'frame' || heard.direction !== 'to-gateway') return heard.bytes;
      const changed = change(replyIn(heard.bytes), heard.agency!);
      return changed === undefined ? undefined : agentFrameCodec.encode(changed);
    };
  }

  /** Changes questions on their way to the nodes. */
  function onDeliveries(change: (delivery: Delivery, node: string) => Delivery | undefined): void {
    federation.tap!.meddle = (heard) => {
      if (heard.what !== 'frame' || heard.direction !== 'from-gateway') return heard.bytes;
      const frame = gatewayFrameCodec.decode(heard.bytes);
      if (frame.type !== 'delivery') return heard.bytes;
      const changed = change(frame, heard.agency!);
      return changed === undefined ? undefined : gatewayFrameCodec.encode(changed);
    };
  }

  /** Changes one kind of message on its way back to the asker. */
  function onResponse(what: string, change: (heard: Heard) => Uint8Array): void {
    federation.tap!.meddle = (heard) =>
      heard.direction === 'from-gateway' && heard.what === what ? change(heard) : heard.bytes;
  }

  it('lets what is not tampered with pass: the positive control of every case below', async () => {
    onReplies((frame) => frame);
    expect(statuses(await ask())).toEqual(['known', 'known']);
    onDeliveries((delivery) => delivery);
    expect(statuses(await ask())).toEqual(['known', 'known']);
  });

  describe('replies', () => {
    it('shows a changed reply as invalid, wherever the change is', async () => {
      for (const at of [0, 5, 20, -1]) {
        onReplies((frame, node) =>
          node === 'politie'
            ? {
                ...frame,
                ciphertext: flip(
                  frame.ciphertext!,
                  (at + frame.ciphertext!.length) % frame.ciphertext!.length,
                ),
              }
            : frame,
        );
        expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'known']);
      }
    });

    it('shows a truncated or an empty reply as invalid', async () => {
      onReplies((frame) => ({ ...frame, ciphertext: frame.ciphertext!.subarray(0, -1) }));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
      onReplies((frame) => ({ ...frame, ciphertext: undefined }));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
    });

    it('shows a reply that was swallowed as no answer, never as not known', async () => {
      onReplies((_frame, node) => (node === 'politie' ? undefined : _frame));
      expect(statuses(await ask())).toEqual(['no-answer: timeout', 'known']);
    }, 20_000);

    it('shows a reply of an earlier lookup, and one of another node, as invalid', async () => {
      const kept = new Map<string, Uint8Array>();
      onReplies((frame, node) => {
        kept.set(node, frame.ciphertext!);
        return frame;
      });
      await ask();
      onReplies((frame, node) => ({ ...frame, ciphertext: kept.get(node) }));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
      onReplies((frame, node) => ({
        ...frame,
        ciphertext: kept.get(node === 'politie' ? 'reclassering' : 'politie'),
      }));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
    });

    it('does not believe the gateway when it says that a node refused, or did not know the session', async () => {
      onReplies((frame) => ({ ...frame, outcome: 'refused', ciphertext: new Uint8Array(80) }));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
      onReplies((frame) => ({ ...frame, outcome: 'session-unknown', ciphertext: undefined }));
      expect(statuses(await ask())).toEqual(['no-answer: rejected', 'no-answer: rejected']);
    });

    it('does not mistake a stream that ends early for an answer', async () => {
      onResponse('POST /v1/lookups/{id}/questions', ({ bytes }) =>
        bytes.subarray(0, 4 + Buffer.from(bytes).readUInt32BE(0)),
      );
      const result = statuses(await ask());
      expect(result.filter((status) => status === 'known').length).toBe(1);
      expect(result.filter((status) => status === 'no-answer: connection-lost').length).toBe(1);
    });

    it('does not take a report about one node for another', async () => {
      onResponse('POST /v1/lookups/{id}/questions', ({ bytes }) => swapNodes(bytes));
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'invalid: reply-failed-check']);
    });
  });

  describe('questions', () => {
    /** What the node does with a delivery that was changed, and what the asker sees then. */
    async function askWith(change: (delivery: Delivery) => Delivery): Promise<string[]> {
      onDeliveries((delivery, node) => (node === 'politie' ? change(delivery) : delivery));
      return statuses(await ask());
    }
    const rejected = ['no-answer: rejected', 'known'];

    it('is refused by the node when anything in it was changed', async () => {
      expect(
        await askWith((d) => ({
          ...d,
          question: { ...d.question, ciphertext: flip(d.question.ciphertext, 9) },
        })),
      ).toEqual(rejected);
      expect(
        await askWith((d) => ({
          ...d,
          question: { ...d.question, ciphertext: d.question.ciphertext.subarray(1) },
        })),
      ).toEqual(rejected);
      expect(
        await askWith((d) => ({ ...d, question: { ...d.question, counter: d.question.counter + 1 } })),
      ).toEqual(rejected);
      expect(await askWith((d) => ({ ...d, ticket: d.ticket.subarray(1) }))).toEqual(rejected);
      expect(await askWith((d) => ({ ...d, evidence: flip(d.evidence, 3) }))).toEqual(rejected);
    });

    it('is refused by the node when the ticket says something else: purpose, registers, asker, node, time', async () => {
      const forge =
        (change: object) =>
        (d: Delivery): Delivery => ({
          ...d,
          ticket: ticketCodec.encode({ ...ticketCodec.decode(d.ticket), ...change }),
        });
      const now = Date.now();
      for (const change of [
        { purpose: 'huiselijk-geweld' },
        { registers: ['incidenten', 'zorgmeldingen'] },
        { asker: 'reclassering' },
        { node: 'reclassering' },
        { persons: 2 },
        { issuedAt: now - 500_000, expiresAt: now - 400_000 },
        { issuedAt: now, expiresAt: now + 86_400_000 },
        { rosterVersion: 1 },
      ])
        expect(await askWith(forge(change)), JSON.stringify(change)).toEqual(rejected);
    });

    it('is refused by the node when it comes a second time, also under a fresh ticket', async () => {
      const kept: Delivery[] = [];
      onDeliveries((delivery, node) => {
        if (node === 'politie') kept.push(delivery);
        return delivery;
      });
      await ask();
      expect(await askWith((d) => ({ ...kept[0]!, delivery: d.delivery }))).toEqual(rejected);
      expect(await askWith((d) => ({ ...d, question: kept[0]!.question }))).toEqual(rejected);
    });

    it('is refused by the node when it was meant for another', async () => {
      let other: Delivery | undefined;
      onDeliveries((delivery, node) => {
        if (node === 'reclassering') other = delivery;
        return delivery;
      });
      await ask();
      // Never seen by this node, so it cannot be the replay that is refused.
      expect(await askWith((d) => ({ ...other!, delivery: d.delivery }))).toEqual(rejected);
    });

    it('cannot be asked by the gateway itself, though it can evaluate and make tickets', async () => {
      const suite = createSuite('voprf', backend);
      const element = suite.backend.group.multiplyBase(new Uint8Array(32).fill(1));
      expect(evaluateElements(suite, new Uint8Array(32).fill(2), element).length).toBe(32);
      const fresh = (d: Delivery): Delivery => ({
        ...d,
        ticket: ticketCodec.encode({ ...ticketCodec.decode(d.ticket), lookupId: new Uint8Array(16).fill(9) }),
        question: { ...d.question, sessionId: new Uint8Array(16).fill(3), opening: undefined },
      });
      const outcome = await askWith(fresh);
      expect(outcome).toEqual(rejected);
    });
  });

  describe('evaluation and roster', () => {
    it('refuses an evaluation under another key, and one without its proof', async () => {
      const tamper = (change: (opened: Record<string, unknown>) => object): void =>
        onResponse('POST /v1/lookups', ({ bytes }) =>
          json(change(JSON.parse(text(bytes)) as Record<string, unknown>)),
        );
      const suite = createSuite('voprf', backend);
      tamper((opened) => ({
        ...opened,
        evaluated: encodeBase64(
          evaluateElements(
            suite,
            new Uint8Array(32).fill(5),
            new Uint8Array(Buffer.from(String(opened['evaluated']), 'base64url')),
          ),
        ),
      }));
      await expect(ask()).rejects.toThrow('proof-invalid');
      tamper(({ proof: _, ...opened }) => opened);
      await expect(ask()).rejects.toThrow('proof-invalid');
    });

    it('shows tickets that tell another story than the question as invalid, and asks nobody with them', async () => {
      onResponse('POST /v1/lookups', ({ bytes }) => {
        const opened = JSON.parse(text(bytes)) as { tickets: { node: string; ticket: string }[] };
        const tickets = opened.tickets.map(({ node, ticket }) => {
          const decoded = ticketCodec.decode(new Uint8Array(Buffer.from(ticket, 'base64url')));
          const changed = node === 'politie' ? { ...decoded, purpose: 'huiselijk-geweld' } : decoded;
          return { node, ticket: encodeBase64(ticketCodec.encode(changed)) };
        });
        return json({ ...opened, tickets });
      });
      expect(statuses(await ask())).toEqual(['invalid: reply-failed-check', 'known']);
    });

    /** A roster as the gateway itself could sign it. */
    async function forgedRoster(change: (roster: Roster) => Roster, seed?: Uint8Array): Promise<Uint8Array> {
      const response = await fetch(`${federation.gatewayUrl}/v1/roster`);
      const { roster } = (await response.json()) as { roster: { payload: string } };
      const payload = JSON.parse(Buffer.from(roster.payload, 'base64url').toString()) as Roster;
      const sealed: unknown = JSON.parse(
        readFileSync(join(federation.gatewayFolder, 'keystore.json'), 'utf8'),
      );
      const key = readFileSync(join(federation.gatewayFolder, 'key-file'));
      const { identitySeed } = await openKeystore(backend, { type: 'key-file', key }, sealed);
      const signer = { keyId: 'gateway', seed: seed ?? identitySeed! };
      return json({ roster: signDocument(backend, ROSTER_KIND, change(payload), signer) });
    }

    /** Serves a roster to an asker that is restarted, so that it fetches it. */
    async function askWithRoster(bytes: Uint8Array, complaint: string): Promise<string[]> {
      onResponse('GET /v1/roster', () => bytes);
      const asker = federation.agency('vragen');
      await asker.stop();
      await asker.start();
      await expect.poll(() => federation.logs.text('vragen'), { timeout: 10_000 }).toContain(complaint);
      return statuses(await ask());
    }

    it('refuses a roster that the gateway did not sign, and goes on with the one it holds', async () => {
      const forged = await forgedRoster(
        (roster) => ({ ...roster, version: roster.version + 1 }),
        new Uint8Array(32).fill(8),
      );
      expect(await askWithRoster(forged, 'signature-invalid')).toEqual(['known', 'known']);
    });

    it('keeps the roster that it has when the gateway tells it another one of the same version', async () => {
      const forked = await forgedRoster((roster) => ({
        ...roster,
        agencies: roster.agencies.map((agency) =>
          agency.id === 'politie' ? { ...agency, name: 'Een andere politie' } : agency,
        ),
      }));
      expect(await askWithRoster(forked, 'roster-forked')).toEqual(['known', 'known']);
    });

    it('does not use the keys of a partner that the gateway swapped, until an administrator has checked them', async () => {
      // What the operator of the gateway can do at any time: enrol somebody else under the name of a partner.
      const folder = join(federation.folder, 'impostor');
      cpSync(join(federation.agency('politie').folder, 'agent.yaml'), join(folder, 'agent.yaml'), {
        recursive: true,
      });
      const impostor = new TestAgency('impostor', folder, federation.logs);
      await impostor.run('init');
      await impostor.run(
        'enrol',
        '--gateway',
        federation.gatewayUrl,
        '--token',
        await federation.invite('politie'),
      );

      const asker = federation.agency('vragen');
      await ask();
      expect(statuses(await ask())).toEqual(['no-answer: key-changed', 'known']);
      expect(((await asker.call('GET', '/readyz')) as { problems: string[] }).problems.join()).toContain(
        'politie',
      );
      await asker.stop();
      await asker.start();
      expect(statuses(await ask())).toEqual(['no-answer: key-changed', 'known']);

      const { err, code } = await asker.tryRun('trust', 'politie', '--fingerprint', '0'.repeat(32));
      expect([code, err]).toEqual([1, expect.stringContaining('nothing was pinned')]);
      const fingerprint = /politie\s+\S+\s+(\S+)/.exec(await asker.run('trust'))?.[1] ?? '';
      await asker.run('trust', 'politie', '--fingerprint', fingerprint);
      await asker.stop();
      await asker.start();
      expect(statuses(await ask())[0]).not.toBe('no-answer: key-changed');
    });
  });
});

/** Gives each report in a reply stream the name of the other node. */
function swapNodes(bytes: Uint8Array): Uint8Array {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Buffer.from(bytes).readUInt32BE(at);
    const report = deliveryReportCodec.decode(bytes.slice(at + 4, at + 4 + length));
    const node = report.node === 'politie' ? 'reclassering' : 'politie';
    const encoded = deliveryReportCodec.encode({ ...report, node });
    const head = Buffer.alloc(4);
    head.writeUInt32BE(encoded.length);
    parts.push(head, Buffer.from(encoded));
    at += 4 + length;
  }
  return Buffer.concat(parts);
}
