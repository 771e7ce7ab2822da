import { QUOTIENT_PATH } from '@hitmachine/protocol';
import { keysAt } from '../domain/agency-keys.ts';
import { quotientFor } from '../domain/evaluation-keys.ts';
import { QuotientLog } from '../domain/quotient-log.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { SealedQuotient, json, signedHeaders } from './schemas.ts';
import { SIGNED_CODES, signedBy } from './signed.ts';

const getQuotient: ApiRoute = {
  method: 'get',
  path: QUOTIENT_PATH,
  operationId: 'getQuotient',
  summary: 'What takes pseudonyms from the evaluation key before to the one in force, sealed to the caller.',
  description:
    'While the evaluation key changes. The scalar is sealed with HPKE to the session key of the caller, who can check that it takes the one public key to the other.',
  tags: ['import'],
  request: { headers: signedHeaders },
  responses: {
    200: { description: 'The sealed quotient.', content: json(SealedQuotient, examples.sealedQuotient) },
    ...problemResponses(...SIGNED_CODES, 'not-found', 'storage-failed'),
  },
};

/** `GET /v1/evaluation-key/quotient` */
export function quotientRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  const given = new QuotientLog(deps);
  api.add(getQuotient, async (c) => {
    const { agency } = await signedBy(deps, c, new Uint8Array(0));
    const { sessionKey } = keysAt(agency.enrolment, deps.runtime.now());
    const keys = deps.roster.current.roster.gateway;
    const sealed = await quotientFor(deps.keys, keys, { id: agency.id, sessionKey });
    await given.note(agency.id, keys.evaluationKey);
    return c.json(sealed);
  });
}
