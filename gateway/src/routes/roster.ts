import { z } from '@hono/zod-openapi';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { RosterResponse, json } from './schemas.ts';

const getRoster: ApiRoute = {
  method: 'get',
  path: '/v1/roster',
  operationId: 'getRoster',
  summary: 'The signed list of agencies, registers, keys and purposes that is in force.',
  tags: ['roster'],
  request: {
    headers: z.object({
      'if-none-match': z
        .string()
        .optional()
        .meta({ description: 'The version that the caller has.', examples: ['"2"'] }),
    }),
  },
  responses: {
    200: {
      description: 'The roster; its version is the entity tag.',
      headers: { ETag: { description: 'The version.', schema: { type: 'string' } } },
      content: json(RosterResponse, examples.rosterResponse),
    },
    304: { description: 'The version named in If-None-Match is still in force.' },
    ...problemResponses('internal'),
  },
};

/** `GET /v1/roster`: open to all, because it is signed and holds nothing secret. */
export function rosterRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(getRoster, (c) => {
    const { roster, document } = deps.roster.current;
    const tag = `"${roster.version}"`;
    c.header('ETag', tag);
    return matches(c.req.header('if-none-match'), tag) ? c.body(null, 304) : c.json({ roster: document });
  });
}

/** If-None-Match (RFC 9110 section 13.1.2), with the weak comparison that it asks for. */
function matches(header: string | undefined, tag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((given) => given.trim() === '*' || given.trim().replace(/^W\//, '') === tag);
}
