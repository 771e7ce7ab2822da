import { REVIEWS_PATH, SIGNALS_PATH, parseJson } from '@hitmachine/protocol';
import { reportSignal, reviewLookup } from '../domain/notices.ts';
import { loggingRefusals } from '../domain/refusals.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { Logged, Review, SignalReport, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, SIGNED_CODES, signedJson } from './signed.ts';

const createSignal: ApiRoute = {
  method: 'post',
  path: SIGNALS_PATH,
  operationId: 'createSignal',
  summary: 'Tells the auditors that a sequence of lookups of one of your professionals stands out.',
  description: 'Only an asking agency can see some of it, such as persons whom no register knew.',
  tags: ['log'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(SignalReport, examples.signalReport) },
  },
  responses: {
    200: { description: 'The signal stands in the log.', content: json(Logged, examples.loggedSignal) },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES),
  },
};

const createReview: ApiRoute = {
  method: 'post',
  path: REVIEWS_PATH,
  operationId: 'createReview',
  summary: 'Reviews a lookup of your own that was asked without the approval it needed; once.',
  description:
    'By somebody else than the professional who asked. The reason for asking stays at your agency.',
  tags: ['log'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(Review, examples.review) },
  },
  responses: {
    200: { description: 'The review stands in the log.', content: json(Logged, examples.loggedReview) },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES, 'not-allowed', 'unknown-lookup', 'already-exists'),
  },
};

/** `POST /v1/signals` and `POST /v1/reviews` */
export function noticeRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createSignal, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const logged = await loggingRefusals(deps, 'signal-refused', caller, async () => {
      parseJson(SignalReport, body);
      return reportSignal(deps, caller, body);
    });
    return c.json(logged);
  });

  api.add(createReview, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const logged = await loggingRefusals(deps, 'review-refused', caller, async () =>
      reviewLookup(deps, caller, parseJson(Review, body), body),
    );
    return c.json(logged);
  });
}
