import { setTimeout as delay } from 'node:timers/promises';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import { HitError, decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import {
  beginSchema,
  handedContentSchema,
  handedOverSchema,
  partSchema,
} from '../domain/importing/hand-over-form.ts';
import type { HandOvers } from '../domain/importing/hand-overs.ts';
import { jsonLimit, requireJson } from './http.ts';
import { problemResponse } from './problems.ts';

/** Characters of a line at most: one of 256 elements has some 14,000. */
const LONGEST_LINE = 65_536;
/** Milliseconds in which nothing comes: whoever is so slow is gone, and would keep others from handing over. */
const SILENCE_MS = 300_000;
const NDJSON = 'application/x-ndjson';

const params = z.object({
  register: z.string().describe('Identifier of the register, as `agent.yaml` has it.'),
});
const security = [{ handOver: [] }];
const Content = handedContentSchema.meta({ id: 'HandedContent' });
const Result = handedOverSchema.meta({ id: 'HandedOver' });
const Line = z.union([beginSchema, partSchema]).meta({ id: 'HandOverLine' });
const Elements = z
  .strictObject({
    elements: z.string().describe('1 to 256 blinded elements of 32 bytes, one after another, in base64url.'),
    evaluationKey: z.string().describe('The evaluation key that the register was told with.'),
  })
  .meta({ id: 'BlindedElements' });
const Evaluated = z
  .strictObject({
    evaluated: z.string().describe('The evaluated elements, in their order, in base64url.'),
    proof: z.string().describe('That the evaluation key was used for all of them, in base64url.'),
  })
  .meta({ id: 'EvaluatedElements' });

const key = 'EkQ5aLQYXVvxqvWuu1e0c2Jw0ZlJHJk2rV8YgRCuPHw';
const json = <Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>) => ({
  'application/json': { schema, example },
});
const refusals = {
  400: problemResponse('malformed', 'field-invalid', 'element-invalid', 'import-invalid', 'unknown-register'),
  401: problemResponse('unauthorised'),
  403: problemResponse('not-allowed'),
  404: problemResponse('not-found'),
  409: problemResponse('key-changed'),
  413: problemResponse('body-too-large'),
  415: problemResponse('unsupported-media-type'),
  429: problemResponse('quota-exceeded', 'agency-busy'),
  500: problemResponse('config-invalid'),
  502: problemResponse('gateway-unreachable', 'proof-invalid'),
  503: problemResponse('not-ready', 'storage-failed', 'overloaded'),
};

const contentRoute = createRoute({
  method: 'get',
  path: '/v1/registers/{register}/content',
  security,
  operationId: 'registerContent',
  summary: 'What a hand-over of a register begins with',
  description: 'For a machine of the agency where the source lies. Tells nothing of who is in the register.',
  request: { params },
  responses: {
    200: {
      description: 'The register as it is now',
      content: json(Content, {
        register: 'schuldhulp',
        tokenTypes: ['bsn'],
        evaluationKey: key,
        base: 1_772_438_400_000,
        clients: 1_204,
        maxShrink: 20,
      }),
    },
    ...refusals,
  },
});

const evaluationRoute = createRoute({
  method: 'post',
  path: '/v1/registers/{register}/evaluations',
  security,
  operationId: 'relayEvaluation',
  summary: 'Have blinded elements evaluated by the gateway',
  description: 'Passed on under the identity of this agency; the blinds stay with whoever sends it.',
  middleware: [jsonLimit, requireJson] as const,
  request: {
    params,
    body: { required: true, content: json(Elements, { elements: key, evaluationKey: key }) },
  },
  responses: {
    200: { description: 'Evaluated', content: json(Evaluated, { evaluated: key, proof: `${key}${key}` }) },
    ...refusals,
  },
});

const putRoute = createRoute({
  method: 'put',
  path: '/v1/registers/{register}/content',
  security,
  operationId: 'handOver',
  summary: 'Hand over what a register is to hold',
  description:
    'Lines of JSON: `begin`, then all `remove`, then all `add`, and `end` with the number of elements. They hold evaluated elements, E = k_g·H(y), never a person; this agent puts its own key on them. Either everything or, with `difference`, what changes against the content `base`. Nothing is changed unless the last line comes and the register still holds that content: so one that is cut off or comes twice does no harm.',
  request: {
    params,
    body: {
      required: true,
      content: {
        [NDJSON]: {
          schema: Line,
          example: `{"type":"begin","evaluationKey":"${key}","base":null,"difference":false,"clients":1,"allowShrink":false}\n{"type":"add","tokenType":"bsn","elements":"${key}","until":[null]}\n{"type":"end","elements":1}\n`,
        },
      },
    },
  },
  responses: {
    200: {
      description: 'It was taken',
      content: json(Result, { register: 'schuldhulp', base: 1_772_524_800_000 }),
    },
    ...refusals,
  },
});

/** `GET` and `PUT /v1/registers/{register}/content`, and `POST /v1/registers/{register}/evaluations` */
export function handOverRoutes(app: OpenAPIHono, handOvers: HandOvers | undefined): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'handOver', {
    type: 'http',
    scheme: 'bearer',
    description:
      'The key of a machine that hands over (`handOver.keyFile` in agent.yaml). It opens nothing else.',
  });
  const there = (): HandOvers => {
    if (handOvers !== undefined) return handOvers;
    throw new HitError('not-found', 'this agent takes no hand-overs: agent.yaml has no handOver');
  };
  app.openapi(contentRoute, async (context) =>
    context.json(await there().content(context.req.valid('param').register), 200),
  );
  app.openapi(evaluationRoute, async (context) => {
    const { elements, evaluationKey } = context.req.valid('json');
    const { register } = context.req.valid('param');
    const { evaluated, proof } = await there().evaluate(register, decodeBase64(elements), evaluationKey);
    return context.json({ evaluated: encodeBase64(evaluated), proof: encodeBase64(proof) }, 200);
  });
  app.openapi(putRoute, async (context) => {
    if (context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== NDJSON)
      throw new HitError('unsupported-media-type', `send the lines with Content-Type: ${NDJSON}`);
    const { register } = context.req.valid('param');
    return context.json(await there().take(register, linesOf(context.req.raw.body)), 200);
  });
}

/** Throws `malformed` when the connection is lost before the end. */
async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of unlessSilent(body)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() as string;
      if (rest.length > LONGEST_LINE)
        throw new HitError('body-too-large', `a line has at most ${LONGEST_LINE} characters`);
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof HitError) throw cause;
    throw new HitError('malformed', 'the hand-over was cut off, so nothing was changed', { cause });
  }
  // What is left without the end of its line was cut off.
}

async function* unlessSilent(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const silence = new AbortController();
    const next = await Promise.race([
      reader?.read(),
      delay(SILENCE_MS, undefined, { signal: silence.signal, ref: false }).then(() => {
        throw new Error('nothing came any more');
      }),
    ]).finally(() => silence.abort());
    if (next?.value === undefined) return;
    yield next.value;
  }
}
