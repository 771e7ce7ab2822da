import { parseJson } from '@hitmachine/protocol';
import { enrolAgency } from '../domain/enrolment.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import { readBody, requireContentType } from './body.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { EnrolmentRequest, RosterResponse, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, incomingRequest } from './signed.ts';

const createEnrolment: ApiRoute = {
  method: 'post',
  path: '/v1/enrolments',
  operationId: 'createEnrolment',
  summary:
    'Puts an agency on the roster, with a one-time token; signed with the identity key that it brings.',
  tags: ['agencies'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(EnrolmentRequest, examples.enrolmentRequest) },
  },
  responses: {
    200: {
      description: 'Was done before with this token and key.',
      content: json(RosterResponse, examples.rosterResponse),
    },
    201: {
      description: 'Done: the roster that holds the agency.',
      content: json(RosterResponse, examples.rosterResponse),
    },
    ...problemResponses(
      'malformed',
      'field-invalid',
      'signature-invalid',
      'signature-expired',
      'enrolment-refused',
      ...JSON_CODES,
      'storage-failed',
      'internal',
    ),
  },
};

/** `POST /v1/enrolments` */
export function enrolmentRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createEnrolment, async (c) => {
    requireContentType(c, 'application/json');
    const body = await readBody(c);
    const request = parseJson(EnrolmentRequest, body);
    const { repeated, roster } = await enrolAgency(deps, incomingRequest(c, body), request);
    c.set('agency', request.agency);
    return c.json({ roster: roster.document }, repeated ? 200 : 201);
  });
}
