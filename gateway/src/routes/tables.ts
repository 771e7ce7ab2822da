import { TABLES_PATH, parseJson } from '@hitmachine/protocol';
import { loggingRefusals } from '../domain/refusals.ts';
import { commitTables, latestTables } from '../domain/table-commitments.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { Logged, TableCommitment, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, SIGNED_CODES, signedBy, signedJson } from './signed.ts';

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

const getTables: ApiRoute = {
  method: 'get',
  path: TABLES_PATH,
  operationId: 'getTables',
  summary: 'The latest commitment of the agency that asks, with its receipt.',
  description:
    'An agency that was made from an old copy sees in it how far its own log had come; signed by the agency.',
  tags: ['log'],
  request: { headers: signedHeaders },
  responses: {
    200: { description: 'The entry and its receipt.', content: json(Logged, examples.loggedTables) },
    ...problemResponses(...SIGNED_CODES, 'not-found'),
  },
};

/** `POST` and `GET /v1/tables` */
export function tableRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createTables, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const logged = await loggingRefusals(deps, 'tables-refused', caller, async () =>
      commitTables(deps, caller, parseJson(TableCommitment, body), body),
    );
    return c.json(logged);
  });

  api.add(getTables, async (c) => {
    const caller = await signedBy(deps, c, new Uint8Array(0));
    return c.json(await latestTables(deps, caller.agency.id));
  });
}
