import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What k6 asks of the process that started it. */
export interface Helping {
  /** All is loaded, and the first lookup comes now. */
  begin(): void;
  /** The last lookup has ended. */
  end(): void;
  /** The body with the sealed questions of a lookup, by its number, from the gateway's reply to it. */
  seal(number: number, reply: Uint8Array): Promise<Uint8Array>;
}

/** Listens for k6 on the loopback interface. */
export async function openHelper(
  helping: Helping,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const answer = async ({ url = '' }: IncomingMessage, body: Uint8Array): Promise<Uint8Array> => {
    if (url === '/begin') helping.begin();
    else if (url === '/end') helping.end();
    else return helping.seal(Number(url.split('/')[2]), body);
    return new Uint8Array(0);
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      response.end(await answer(request, await buffer(request)));
    } catch (error) {
      response.writeHead(500).end((error as Error).message);
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
