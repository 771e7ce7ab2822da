import { z } from '@hono/zod-openapi';
import { CONSOLE } from '../../console/paths.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import { problemResponses } from './problems.ts';

const page = (console: boolean): string => `<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hitmachine: centrale</title>
</head>
<body>
<h1>Hitmachine: centrale</h1>
<p>Dit is de centrale van een samenwerkingsverband. Zij verbindt de organisaties die eraan meedoen, en
krijgt geen persoonsgegevens te zien. Bevragingen doet u bij uw eigen organisatie, niet hier.</p>
<ul>
<li><a href="/v1/openapi.json">Beschrijving van de API (OpenAPI)</a></li>
<li><a href="/v1/roster">Deelnemerslijst, ondertekend door de centrale</a></li>
<li><a href="/readyz">Is de centrale gereed?</a></li>
${console ? `<li><a href="${CONSOLE}">Toezicht, voor auditors</a></li>\n` : ''}</ul>
</body>
</html>
`;

const getStartPage: ApiRoute = {
  method: 'get',
  path: '/',
  operationId: 'getStartPage',
  summary: 'A page that tells a person in front of a browser what this is.',
  tags: ['operation'],
  responses: {
    200: { description: 'The page, in Dutch.', content: { 'text/html': { schema: z.string() } } },
    ...problemResponses('internal'),
  },
};

/** `GET /` */
export function startPageRoutes(api: ApiRoutes, deps: Pick<GatewayDeps, 'console'>): void {
  api.add(getStartPage, (c) => c.html(page(deps.console !== undefined)));
}
