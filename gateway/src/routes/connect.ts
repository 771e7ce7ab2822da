import { HitError, VERSIONS_HEADER, encodeBase64, versionsText } from '@hitmachine/protocol';
import { AGENT_VERSIONS, agreeOnVersion } from '../domain/agent-versions.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import { problemResponses } from './problems.ts';
import { signedHeaders } from './schemas.ts';
import { SIGNED_CODES, signedBy } from './signed.ts';

const connect: ApiRoute = {
  method: 'get',
  path: '/v1/connect',
  operationId: 'connect',
  summary: "Opens the WebSocket over which questions reach the caller's node.",
  description: `Binary frames both ways. The first one from the gateway proves that it is the one that was pinned. The header \`${VERSIONS_HEADER}\` names the versions that the agent speaks, such as \`2, 1\`; without it that is version 1. The newest that both speak is used, and a refusal names those of the gateway in the same header.`,
  tags: ['lookup'],
  request: { headers: signedHeaders },
  responses: {
    101: { description: 'The connection is open.' },
    ...problemResponses(...SIGNED_CODES, 'version-not-spoken'),
  },
};

/** `GET /v1/connect`: everything is checked before the upgrade. */
export function connectRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(connect, async (c) => {
    const accept = c.env?.acceptConnection;
    if (accept === undefined)
      throw new HitError('field-invalid', 'Upgrade: this address is for WebSockets', {
        fields: [{ field: 'Upgrade', detail: 'websocket' }],
      });
    if (deps.stopping()) throw new HitError('not-ready');
    c.header(VERSIONS_HEADER, versionsText(AGENT_VERSIONS));
    const agreed = agreeOnVersion(c.req.header(VERSIONS_HEADER));
    const { agency, signature, identityKey } = await signedBy(deps, c, new Uint8Array());
    accept({
      agency: agency.id,
      identityKey: encodeBase64(identityKey),
      requestBase: signature.base,
      ...agreed,
    });
    // Never sent: the server answers an accepted request with 101 by itself.
    return c.body(null, 204);
  });
}
