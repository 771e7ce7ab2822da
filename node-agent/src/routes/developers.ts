import { createRoute, z } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Html } from '@hitmachine/web';
import { NOTHING, html, raw } from '@hitmachine/web';
import { createHash } from 'node:crypto';

/** Where suppliers of case systems begin. */
export const DEVELOPERS = '/developers';

const STYLE = `body{color:#1b1f24;font:1rem/1.55 system-ui,sans-serif;margin:0 auto;max-width:52rem;padding:2rem 1.5rem 5rem}
h1{font-size:2rem;line-height:1.2}h2{font-size:1.35rem;margin-top:2.5rem}h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
pre{background:#f2f4f7;border:1px solid #c6ccd2;overflow:auto;padding:1rem}code{font-size:.92em}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #c6ccd2;padding:.4rem .6rem;text-align:start;vertical-align:baseline}
a{color:#154273}`;
const HASH = createHash('sha256').update(STYLE).digest('base64');

const route = createRoute({
  method: 'get',
  path: DEVELOPERS,
  operationId: 'getDevelopersPage',
  summary: 'A page that leads a supplier of case systems from nothing to an answer',
  responses: {
    200: { description: 'The page, in English', content: { 'text/html': { schema: z.string() } } },
  },
});

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}
interface ApiDocument {
  readonly info: { readonly version: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** `GET /developers`: from nothing to an answer in ten minutes. What is told of the API comes from its own document. */
export function developersRoute(app: OpenAPIHono, documentOf: () => unknown, example: object): void {
  app.openapi(route, async (c) => {
    const page = String(
      await developersPage(documentOf() as ApiDocument, new URL(c.req.url).origin, example),
    );
    c.header(
      'Content-Security-Policy',
      `default-src 'none'; style-src 'sha256-${HASH}'; frame-ancestors 'none'`,
    );
    return c.html(page);
  });
}

const block = (text: string): Html => html`<pre tabindex="0"><code>${text}</code></pre>`;

const developersPage = (document: ApiDocument, origin: string, example: object): Html =>
  html`${raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Hitmachine for case systems</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          <h1>Hitmachine for case systems</h1>
          <p>
            Your case system asks the agent of its own agency which registers know a person. What you send
            stays at the agency; the gateway and the other agencies see blinded elements only. The whole API,
            for tools:
            <a href="/v1/openapi.json">openapi.json</a>, version ${document.info.version}.
          </p>

          <h2>1. A city to try it in</h2>
          <p>
            With Node.js 20 or newer, in a copy of the project. It starts a gateway and eight agencies with
            invented residents, and prints addresses, keys and questions to try.
          </p>
          ${block('npm ci && npm start')}

          <h2>2. The first question</h2>
          <p>Save this as <code>question.json</code>, or take one of the files that the demo names:</p>
          ${block(JSON.stringify(example, undefined, 2))}
          ${block(
            [
              `curl ${origin}/v1/lookups \\`,
              '  -H "Authorization: Bearer $(cat api-key)" \\',
              '  -H "Content-Type: application/json" \\',
              '  -H "Idempotency-Key: $(uuidgen)" \\',
              '  -d @question.json',
            ].join('\n'),
          )}
          <p>
            <code>api-key</code> is a file in the directory of the agent. Ask for it with
            <code>Accept: application/x-ndjson</code> and each register comes on a line of its own as soon as
            it answers.
          </p>

          <h2>3. The same in TypeScript</h2>
          <p>
            The package <code>@hitmachine/client</code> (the folder <code>protocol/client</code>) fetches
            tokens, sends a question again where that is safe, and tells a refusal from an answer that never
            came.
          </p>
          ${block(
            [
              "import { HitmachineClient } from '@hitmachine/client';",
              '',
              `const client = new HitmachineClient({ agentUrl: '${origin}', apiKey });`,
              'for await (const line of client.askStreaming(question, { idempotencyKey }))',
              "  if (line.type === 'register') show(line.persons);",
            ].join('\n'),
          )}
          ${block(
            `npx node protocol/client/example/ask.ts --agent ${origin} --api-key-file api-key question.json`,
          )}

          <h2>4. Credentials of your own</h2>
          <p>
            In production a case system does not hold the key of the agent. It gets access tokens (RFC 9068)
            of the agency's own authorisation server by client credentials with
            <code>private_key_jwt</code> (RFC 7523), as the NL GOV profile for OAuth 2.0 has it. The agency's
            administrator enters your client in <code>agent.yaml</code>, with the roles of the professionals
            whom your system vouches for:
          </p>
          ${block(
            [
              'caseSystems:',
              '  issuer: https://login.gemeente.example',
              '  audience: https://hitmachine.gemeente.example',
              '  scope: lookups',
              '  clients:',
              '    - clientId: zaaksysteem',
              '      name: Zaaksysteem',
              '      roles: [case-worker]',
              '      purposes: [casusoverleg-zvh]',
            ].join('\n'),
          )}
          ${block(
            [
              `npx node protocol/client/example/ask.ts --agent ${origin} \\`,
              '  --issuer https://login.gemeente.example --client-id zaaksysteem --private-key-file key.pem \\',
              '  --audience https://hitmachine.gemeente.example --scope lookups question.json',
            ].join('\n'),
          )}

          <h2>5. What your screens must do</h2>
          <ul>
            <li>
              Show the purpose's explanation and legal basis, and let the professional confirm its statements
              (<code>GET /v1/roster</code>) before you send their codes.
            </li>
            <li>
              Show <code>known</code> and <code>not-known</code> as what they are, and everything else as no
              answer. "No answer" is never "not known", and neither is a register under <code>notAsked</code>.
            </li>
            <li>
              Keep what came out no longer than the case needs. Store no citizen service number in an address,
              a log or a key.
            </li>
            <li>
              Send an <code>Idempotency-Key</code> with each question, and the same one when you try again.
            </li>
          </ul>

          <h2>6. When it says no</h2>
          <p>
            A problem document (RFC 9457): <code>code</code> for your program, <code>detail</code> for a
            person, <code>fields</code> with each field that is not right, <code>rule</code> when the policy
            refused. With 429 and 503, <code>Retry-After</code> says when to try again.
          </p>

          <h2>All addresses</h2>
          ${Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
            Object.entries(methods).map(([method, operation]) => operationPart(method, path, operation)),
          )}
        </main>
      </body>
    </html>`;

const operationPart = (method: string, path: string, operation: Operation): Html =>
  html`<h3><code>${method.toUpperCase()} ${path}</code></h3>
    <p>${operation.summary ?? ''}</p>
    ${(operation.description ?? '')
      .split('\n\n')
      .filter((text) => text !== '')
      .map((text) => html`<p>${text.replaceAll('`', '')}</p>`)}
    ${
      operation.responses === undefined
        ? NOTHING
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Status</th>
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>
              ${Object.entries(operation.responses)
                .filter(([status]) => status !== 'default')
                .map(
                  ([status, { description = '' }]) =>
                    html`<tr>
                      <th scope="row">${status}</th>
                      <td>${description.replaceAll('`', '')}</td>
                    </tr>`,
                )}
            </tbody>
          </table>`
    }`;
