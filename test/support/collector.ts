import { once } from 'node:events';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span as OTLP writes it in JSON. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface TraceRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** Takes traces as a processing log does, over OTLP/HTTP in JSON. */
export class Collector {
  readonly #server: Server;
  readonly #requests: TraceRequest[] = [];
  /** Headers of the requests that were taken. */
  readonly headers: IncomingHttpHeaders[] = [];
  answer = { status: 200, body: '{}' };
  /** Requests that are sent away before one is taken. */
  busy = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      void (async () => {
        const body = await text(request);
        if (this.busy > 0) {
          this.busy--;
          response.writeHead(503, { 'retry-after': '1' }).end();
          return;
        }
        if (request.headers['content-type'] === 'application/json')
          this.#requests.push(JSON.parse(body) as TraceRequest);
        this.headers.push(request.headers);
        response.writeHead(this.answer.status, { 'content-type': 'application/json' });
        response.end(this.answer.body);
      })();
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  reset(): void {
    this.#requests.length = 0;
    this.answer = { status: 200, body: '{}' };
    this.busy = 0;
  }

  spans(): Span[] {
    return this.#requests.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
