import { parseJson } from '@hitmachine/protocol';
import { updateRegisters } from '../domain/registers.ts';
import { loggingRefusals } from '../domain/refusals.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { RegistersUpdate, RosterResponse, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, SIGNED_CODES, signedJson } from './signed.ts';

const putRegisters: ApiRoute = {
  method: 'put',
  path: '/v1/registers',
  operationId: 'putRegisters',
  summary: "Replaces the caller's registers on the roster.",
  tags: ['agencies'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(RegistersUpdate, examples.registersUpdate) },
  },
  responses: {
    200: {
      description: 'The roster that holds them.',
      content: json(RosterResponse, examples.rosterResponse),
    },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES),
  },
};

/** `PUT /v1/registers` */
export function registerRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(putRegisters, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const roster = await loggingRefusals(deps, 'registers-refused', caller, async () =>
      updateRegisters(deps, caller, parseJson(RegistersUpdate, body).registers, body),
    );
    return c.json({ roster: roster.document });
  });
}
