import { HitError, encodeBase64 } from '@hitmachine/protocol';
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
  description:
    'Binary frames both ways. The first one from the gateway proves that it is the one that was pinned.',
  tags: ['lookup'],
  request: { headers: signedHeaders },
  responses: {
    101: { description: 'The connection is open.' },
    ...problemResponses(...SIGNED_CODES),
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
    const { agency, signature, identityKey } = await signedBy(deps, c, new Uint8Array());
    accept({
      agency: agency.id,
      identityKey: encodeBase64(identityKey),
      requestBase: signature.base,
    });
    // Never sent: the server answers an accepted request with 101 by itself.
    return c.body(null, 204);
  });
}
