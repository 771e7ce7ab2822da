import { TABLES_PATH, parseJson } from '@hitmachine/protocol';
import { loggingRefusals } from '../domain/refusals.ts';
import { commitTables } from '../domain/table-commitments.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { Logged, TableCommitment, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, SIGNED_CODES, signedJson } from './signed.ts';

const createTables: ApiRoute = {
  method: 'post',
  path: TABLES_PATH,
  operationId: 'createTables',
  summary: 'Enters what an agency will answer from in one epoch in the log, before it does.',
  description:
    'One commitment an epoch, and epochs only rise. The same one again gets the same entry, so that the request may safely be repeated.',
  tags: ['log'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(TableCommitment, examples.tableCommitment) },
  },
  responses: {
    200: {
      description: 'The commitment stands in the log. The agency puts entry and receipt into its answers.',
      content: json(Logged, examples.loggedTables),
    },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES, 'unknown-register', 'already-exists'),
  },
};

/** `POST /v1/tables` */
export function tableRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createTables, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const logged = await loggingRefusals(deps, 'tables-refused', caller, async () =>
      commitTables(deps, caller, parseJson(TableCommitment, body), body),
    );
    return c.json(logged);
  });
}
