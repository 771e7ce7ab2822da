import { parseJson } from '@hitmachine/protocol';
import { evaluateImport } from '../domain/evaluation.ts';
import { loggingRefusals } from '../domain/refusals.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { EvaluationRequest, EvaluationResponse, json, signedHeaders } from './schemas.ts';
import { ADMISSION_CODES, JSON_CODES, SIGNED_CODES, admitted } from './signed.ts';

const createEvaluation: ApiRoute = {
  method: 'post',
  path: '/v1/evaluations',
  operationId: 'createEvaluation',
  summary: 'Evaluates blinded clients for an import, with a proof that the published key was used.',
  tags: ['import'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(EvaluationRequest, examples.evaluationRequest) },
  },
  responses: {
    200: {
      description: 'The evaluated elements, in order.',
      content: json(EvaluationResponse, examples.evaluationResponse),
    },
    ...problemResponses(
      ...SIGNED_CODES,
      ...JSON_CODES,
      ...ADMISSION_CODES,
      'unknown-register',
      'element-invalid',
      'key-changed',
      'not-ready',
    ),
  },
};

/** `POST /v1/evaluations` */
export function evaluationRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createEvaluation, async (c) => {
    const evaluated = await admitted(deps, c, deps.admission.imports, (caller, body) =>
      loggingRefusals(deps, 'evaluation-refused', caller, async () =>
        evaluateImport(deps, caller, parseJson(EvaluationRequest, body)),
      ),
    );
    return c.json(evaluated);
  });
}
