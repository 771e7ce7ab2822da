import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';

const PAGE = `<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hitmachine: knooppunt-agent</title>
</head>
<body>
<h1>Hitmachine: knooppunt-agent</h1>
<p>Dit is het knooppunt van één organisatie. Het beantwoordt vragen van andere organisaties zonder te zien over
wie zij gaan, en stelt de bevragingen van de eigen organisatie.</p>
<p>Bevragen kan vanuit een zaaksysteem, via de API, of op deze machine met de opdracht <code>hit-agent lookup</code>.</p>
<ul>
<li><a href="/developers">Voor leveranciers van zaaksystemen</a></li>
<li><a href="/v1/openapi.json">Beschrijving van de API (OpenAPI)</a></li>
<li><a href="/readyz">Is het knooppunt gereed?</a></li>
</ul>
</body>
</html>
`;

const route = createRoute({
  method: 'get',
  path: '/',
  operationId: 'getStartPage',
  summary: 'A page that tells a person in front of a browser what this is',
  responses: {
    200: { description: 'The page, in Dutch', content: { 'text/html': { schema: z.string() } } },
  },
});

/** `GET /` */
export function startPageRoutes(app: OpenAPIHono): void {
  app.openapi(route, (context) => context.html(PAGE));
}
