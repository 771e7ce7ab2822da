import { KEY_CHANGE_PATH, parseJson } from '@hitmachine/protocol';
import { announceKeys } from '../domain/key-changes.ts';
import { loggingRefusals } from '../domain/refusals.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { KeyChange, RosterResponse, json, signedHeaders } from './schemas.ts';
import { JSON_CODES, SIGNED_CODES, signedJson } from './signed.ts';

const createKeyChange: ApiRoute = {
  method: 'post',
  path: KEY_CHANGE_PATH,
  operationId: 'createKeyChange',
  summary: "Announces the caller's new keys, days before they take effect.",
  description:
    'The announcement stands in the log and on the roster from now on. From the announced moment on the roster gives the agency the new keys; the previous identity key counts five minutes longer. May safely be repeated.',
  tags: ['agencies'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(KeyChange, examples.keyChange) },
  },
  responses: {
    200: {
      description: 'The roster that shows the announcement.',
      content: json(RosterResponse, examples.rosterResponse),
    },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES, 'already-exists'),
  },
};

/** `POST /v1/key-changes` */
export function keyChangeRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createKeyChange, async (c) => {
    const { caller, body } = await signedJson(deps, c);
    const roster = await loggingRefusals(deps, 'key-change-refused', caller, async () =>
      announceKeys(deps, caller, parseJson(KeyChange, body), body),
    );
    return c.json({ roster: roster.document });
  });
}
