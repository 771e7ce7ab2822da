import { createHash } from 'node:crypto';
import type { DeliveryReport } from '@hitmachine/protocol';
import {
  HitError,
  KEY_CHANGE_PATH,
  LIMITS,
  MAX_PROOF_HASHES,
  REVIEWS_PATH,
  SIGNALS_PATH,
  TABLES_PATH,
  base64Schema,
  decodeBase64,
  deliveryReportCodec,
  encodeBase64,
  evaluationResponseSchema,
  loggedSchema,
  lookupOpenedSchema,
  parseJson,
  questionsCodec,
  rosterResponseSchema,
} from '@hitmachine/protocol';
import { z } from 'zod';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import { readAll, send, signedFetch } from './signed-fetch.ts';
import type { Signer } from './signed-fetch.ts';

/** What anybody may read of the log is small, and a witness waits for it. */
const LOG_DEADLINE_MS = 4_000;

const consistencySchema = z.strictObject({ proof: z.array(base64Schema(32)).max(MAX_PROOF_HASHES) });

/** {@link GatewayClient} over HTTP. `answerTimeoutMs` bounds the wait for the nodes, beyond the gateway's own. */
export function httpGatewayClient(signer: Signer, baseUrl: string): GatewayClient {
  const rosterFrom = (bytes: Uint8Array) => parseJson(rosterResponseSchema, bytes).roster;
  const get = async (path: string): Promise<Uint8Array> =>
    readAll(await send(new URL(path, baseUrl), { signal: AbortSignal.timeout(LOG_DEADLINE_MS) }));
  return {
    async roster() {
      const response = await send(new URL('/v1/roster', baseUrl), { signal: AbortSignal.timeout(30_000) });
      return rosterFrom(await readAll(response));
    },
    enrol: async (request) =>
      rosterFrom((await signedFetch(signer, baseUrl, 'POST', '/v1/enrolments', request)).bytes),
    announceKeys: async (change) =>
      rosterFrom((await signedFetch(signer, baseUrl, 'POST', KEY_CHANGE_PATH, change)).bytes),
    publishRegisters: async (registers) =>
      rosterFrom((await signedFetch(signer, baseUrl, 'PUT', '/v1/registers', { registers })).bytes),
    commitTables: async (commitment) =>
      parseJson(loggedSchema, (await signedFetch(signer, baseUrl, 'POST', TABLES_PATH, commitment)).bytes),
    async evaluate(register, elements) {
      const body = { register, elements: encodeBase64(elements) };
      const { bytes } = await signedFetch(signer, baseUrl, 'POST', '/v1/evaluations', body);
      const { evaluated, proof } = parseJson(evaluationResponseSchema, bytes);
      return { evaluated: decodeBase64(evaluated, elements.length), proof: decodeBase64(proof) };
    },
    async openLookup(request) {
      const { bytes, base, body } = await signedFetch(signer, baseUrl, 'POST', '/v1/lookups', request);
      const requestDigest = new Uint8Array(createHash('sha256').update(base).digest());
      return { opened: parseJson(lookupOpenedSchema, bytes), requestDigest, sent: { base, body } };
    },
    async *ask(lookup, questions) {
      const response = await send(new URL(`/v1/lookups/${lookup.lookupId}/questions`, baseUrl), {
        method: 'POST',
        headers: { authorization: `Bearer ${lookup.capability}`, 'content-type': 'application/octet-stream' },
        body: Buffer.from(questionsCodec.encode({ questions })),
        signal: AbortSignal.timeout(90_000),
      });
      if (response.body !== null) yield* readReports(response.body);
    },
    async reportSignal(report) {
      await signedFetch(signer, baseUrl, 'POST', SIGNALS_PATH, report);
    },
    async reportReview(review) {
      await signedFetch(signer, baseUrl, 'POST', REVIEWS_PATH, review);
    },
    async checkpoint() {
      return new TextDecoder().decode(await get('/v1/log/checkpoint'));
    },
    async consistency(old, size) {
      const bytes = await get(`/v1/log/consistency?old=${old}&new=${size}`);
      return parseJson(consistencySchema, bytes).proof.map((hash) => decodeBase64(hash, 32));
    },
    loggedLookup: async (lookupId) =>
      parseJson(
        loggedSchema,
        (await signedFetch(signer, baseUrl, 'GET', `/v1/log/lookups/${lookupId}`)).bytes,
      ),
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
