import type { EvaluationResponse } from '@hitmachine/protocol';
import {
  LIMITS,
  concatBytes,
  decodeBase64,
  encodeBase64,
  splitElements,
  verifyProof,
} from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { elements, suite } from './support/agency.ts';
import { problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const body = (bytes: Uint8Array, register = 'incidenten') => ({ register, elements: encodeBase64(bytes) });

describe('an evaluation for an import', () => {
  it.each([3, 100])('of %i elements comes with a proof, and is logged', async (count) => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const asked = elements(count);
    const response = await politie.call('POST', '/v1/evaluations', body(asked));
    expect(response.status).toBe(200);
    const { evaluated, proof } = (await response.json()) as EvaluationResponse;
    const replies = splitElements(decodeBase64(evaluated), count);
    verifyProof(suite, gateway.deps.keys.evaluationKey, splitElements(asked), replies, decodeBase64(proof));
    expect((await gateway.audit()).at(-1)).toMatchObject({
      event: 'evaluation',
      agency: 'politie',
      register: 'incidenten',
      elements: count,
    });
  });

  it.each([1, 99])('names the element that is not one: %i', async (wrong) => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const asked = concatBytes(elements(wrong), new Uint8Array(32));
    const response = await politie.call('POST', '/v1/evaluations', body(asked));
    expect(await problem(response)).toMatchObject({
      code: 'element-invalid',
      fields: [{ field: `elements[${wrong}]` }],
    });
    expect((await gateway.audit()).at(-1)).toMatchObject({
      event: 'evaluation-refused',
      code: 'element-invalid',
    });
  });

  it('is for the own registers of an agency', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    await gateway.enrolled('ggz', ['volwassenen']);
    const response = await politie.call('POST', '/v1/evaluations', body(elements(1), 'volwassenen'));
    expect(await problem(response)).toMatchObject({
      code: 'unknown-register',
      fields: [{ field: 'register' }],
    });
  });

  it('is not made with a key that is not on the roster any more, and says that it has changed', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const forgotten = encodeBase64(elements(1));
    const response = await politie.call('POST', '/v1/evaluations', {
      ...body(elements(1)),
      evaluationKey: forgotten,
    });
    expect(response.status).toBe(409);
    expect(await problem(response)).toMatchObject({
      code: 'key-changed',
      fields: [{ field: 'evaluationKey' }],
    });
    expect((await gateway.audit()).at(-1)).toMatchObject({
      event: 'evaluation-refused',
      code: 'key-changed',
    });
  });

  it('is bounded: one batch, and twice the registers a day', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie', ['incidenten'], 5);
    const none = await politie.call('POST', '/v1/evaluations', body(new Uint8Array()));
    expect(await problem(none)).toMatchObject({ code: 'field-invalid', fields: [{ field: 'elements' }] });
    const large = await politie.call(
      'POST',
      '/v1/evaluations',
      body(new Uint8Array(32 * (LIMITS.importBatch + 1))),
    );
    expect(await problem(large)).toMatchObject({ code: 'field-invalid', fields: [{ field: 'elements' }] });
    // 2 × 5 clients × 2 token types.
    expect((await politie.call('POST', '/v1/evaluations', body(elements(20)))).status).toBe(200);
    const refused = await politie.call('POST', '/v1/evaluations', body(elements(1)));
    expect(refused.headers.get('retry-after')).toBe(String(12 * 3600));
    expect(await problem(refused)).toMatchObject({ status: 429, code: 'quota-exceeded' });
    gateway.clock.time += 12 * 3_600_000;
    expect((await politie.call('POST', '/v1/evaluations', body(elements(1)))).status).toBe(200);
  });
});
