import { createHash } from 'node:crypto';
import type { DeliveryReport, LookupOpened } from '@hitmachine/protocol';
import {
  HitError,
  KEY_CHANGE_PATH,
  LIMITS,
  MAX_PROOF_HASHES,
  QUOTIENT_PATH,
  REVIEWS_PATH,
  SIGNALS_PATH,
  TABLES_PATH,
  base64Schema,
  decodeBase64,
  deliveryReportCodec,
  encodeBase64,
  evaluationResponseSchema,
  loggedLookupsSchema,
  loggedSchema,
  lookupOpenedSchema,
  parseJson,
  questionsCodec,
  rosterResponseSchema,
  sealedQuotientSchema,
} from '@hitmachine/protocol';
import { fromBase64 } from '@hitmachine/service';
import { z } from 'zod';
import type { GatewayClient, ShownEntry } from '../../ports/gateway-client.ts';
import type { GatewayNet } from './gateway-net.ts';
import { atSomeAddress, readAll, send, signedFetch, signedFetchFrom } from './signed-fetch.ts';
import type { Again, Signer } from './signed-fetch.ts';

/** What anybody may read of the log is small, and a witness waits for it. */
const LOG_DEADLINE_MS = 4_000;
const ROSTER_DEADLINE_MS = 30_000;

const consistencySchema = z.strictObject({ proof: z.array(base64Schema(32)).max(MAX_PROOF_HASHES) });

/** {@link GatewayClient} over HTTP, at the addresses of `net` that work. */
export function httpGatewayClient(signer: Signer, net: GatewayNet): GatewayClient {
  const rosterFrom = (bytes: Uint8Array) => parseJson(rosterResponseSchema, bytes).roster;
  /** Where a lookup was opened: its capability may be good at that replica alone. */
  const openedAt = new WeakMap<LookupOpened, string>();
  const get = (path: string, deadlineMs: number): Promise<Uint8Array> =>
    atSomeAddress(net.addresses.inOrder(), net, 'safe', async (address) =>
      readAll(await send(net, new URL(path, address), { signal: AbortSignal.timeout(deadlineMs) })),
    );
  const signed = async (method: string, path: string, body: unknown, again: Again): Promise<Uint8Array> =>
    (await signedFetch(signer, net, method, path, body, again)).bytes;
  return {
    roster: async () => rosterFrom(await get('/v1/roster', ROSTER_DEADLINE_MS)),
    enrol: async (request) => rosterFrom(await signed('POST', '/v1/enrolments', request, 'safe')),
    announceKeys: async (change) => rosterFrom(await signed('POST', KEY_CHANGE_PATH, change, 'safe')),
    publishRegisters: async (registers) =>
      rosterFrom(await signed('PUT', '/v1/registers', { registers }, 'safe')),
    commitTables: async (commitment) =>
      parseJson(loggedSchema, await signed('POST', TABLES_PATH, commitment, 'safe')),
    latestTables: async () => parseJson(loggedSchema, await signed('GET', TABLES_PATH, undefined, 'safe')),
    async evaluate(register, elements, evaluationKey) {
      const named = evaluationKey === undefined ? {} : { evaluationKey };
      const body = { register, elements: encodeBase64(elements), ...named };
      // Counted twice against the import's quota when the first one did arrive.
      const bytes = await signed('POST', '/v1/evaluations', body, 'safe');
      const { evaluated, proof } = parseJson(evaluationResponseSchema, bytes);
      return { evaluated: decodeBase64(evaluated, elements.length), proof: decodeBase64(proof) };
    },
    async openLookup(request) {
      // Once it may have arrived it stands in the log and counts for the quota: asked again it would be another one.
      const { response, address } = await signedFetchFrom(
        signer,
        net,
        'POST',
        '/v1/lookups',
        request,
        'unsent',
      );
      const { bytes, base, body } = response;
      const requestDigest = new Uint8Array(createHash('sha256').update(base).digest());
      const opened = parseJson(lookupOpenedSchema, bytes);
      openedAt.set(opened, address);
      return { opened, requestDigest, sent: { base, body } };
    },
    async *ask(lookup, questions) {
      const first = openedAt.get(lookup);
      const others = net.addresses.inOrder().filter((address) => address !== first);
      const order = first === undefined ? others : [first, ...others];
      const body = Buffer.from(questionsCodec.encode({ questions }));
      const response = await atSomeAddress(order, net, 'unsent', (address) =>
        send(net, new URL(`/v1/lookups/${lookup.lookupId}/questions`, address), {
          method: 'POST',
          headers: {
            authorization: `Bearer ${lookup.capability}`,
            'content-type': 'application/octet-stream',
          },
          body,
          signal: AbortSignal.timeout(90_000),
        }),
      );
      if (response.body !== null) yield* readReports(response.body);
    },
    async reportSignal(report) {
      await signed('POST', SIGNALS_PATH, report, 'unsent');
    },
    async reportReview(review) {
      await signed('POST', REVIEWS_PATH, review, 'unsent');
    },
    async checkpoint() {
      return new TextDecoder().decode(await get('/v1/log/checkpoint', LOG_DEADLINE_MS));
    },
    async consistency(old, size) {
      const bytes = await get(`/v1/log/consistency?old=${old}&new=${size}`, LOG_DEADLINE_MS);
      return parseJson(consistencySchema, bytes).proof.map((hash) => decodeBase64(hash, 32));
    },
    async loggedLookups(lookupIds) {
      const shown = new Map<string, ShownEntry>();
      for (let asked = 0; asked < lookupIds.length;) {
        const some = lookupIds.slice(asked, asked + LIMITS.loggedLookups);
        const bytes = await signed('POST', '/v1/log/lookups', { lookupIds: some }, 'safe');
        const { checkpoint = '', lookups } = parseJson(loggedLookupsSchema, bytes);
        for (const [i, one] of lookups.slice(0, some.length).entries())
          if (one !== null)
            shown.set(some[i] as string, { ...one, proof: one.proof.map(fromBase64), checkpoint });
        asked += lookups.length;
      }
      return shown;
    },
    quotient: async () =>
      parseJson(sealedQuotientSchema, await signed('GET', QUOTIENT_PATH, undefined, 'safe')),
  };
}

/** Cuts the stream into reports: each with its length in four bytes in front. */
async function* readReports(body: AsyncIterable<Uint8Array>): AsyncGenerator<DeliveryReport> {
  let buffered = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      buffered = buffered.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4) {
        const length = buffered.readUInt32BE(0);
        if (length > LIMITS.answerBytes + 1_024) throw new HitError('malformed', 'a reply is too large');
        if (buffered.length < 4 + length) break;
        // Copied out, because what is read from it lives on after this chunk.
        yield deliveryReportCodec.decode(Uint8Array.from(buffered.subarray(4, 4 + length)));
        buffered = buffered.subarray(4 + length);
      }
    }
  } catch (cause) {
    if (cause instanceof HitError) throw cause;
    throw new HitError('gateway-unreachable', 'the connection broke before all replies were in', { cause });
  }
}
