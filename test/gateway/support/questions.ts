import type { DeliveryReport, LookupOpened, SealedQuestion } from '@hitmachine/protocol';
import { concatBytes, deliveryReportCodec, questionsCodec } from '@hitmachine/protocol';

/** A sealed question, as far as the gateway can tell. */
export const question = (node: string, counter = 0): SealedQuestion => ({
  node,
  sessionId: new Uint8Array(16).fill(5),
  counter,
  opening: undefined,
  ciphertext: new Uint8Array([1, 2, 3]),
});

/** The request that puts questions to nodes; correct unless changed. */
export function questionsRequest(
  opened: LookupOpened,
  nodes: readonly string[],
  change: { body?: Uint8Array; capability?: string; type?: string; signal?: AbortSignal } = {},
): RequestInit {
  const body = change.body ?? questionsCodec.encode({ questions: nodes.map((node, i) => question(node, i)) });
  return {
    method: 'POST',
    headers: {
      authorization: `Bearer ${change.capability ?? opened.capability}`,
      'content-type': change.type ?? 'application/octet-stream',
    },
    body: new Uint8Array(body),
    ...(change.signal && { signal: change.signal }),
  };
}

/** Cuts a streamed reply into its reports; throws when anything is left over. */
export async function reports(response: Response): Promise<DeliveryReport[]> {
  const all: DeliveryReport[] = [];
  for await (const report of reportsAsTheyCome(response)) all.push(report);
  return all;
}

export async function* reportsAsTheyCome(response: Response): AsyncGenerator<DeliveryReport> {
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  let rest = new Uint8Array();
  const parts: AsyncIterable<Uint8Array> | Uint8Array[] = response.body ?? [];
  for await (const part of parts) {
    rest = new Uint8Array(concatBytes(rest, part));
    for (;;) {
      if (rest.length < 4) break;
      const length = new DataView(rest.buffer).getUint32(0);
      if (rest.length < 4 + length) break;
      yield deliveryReportCodec.decode(rest.slice(4, 4 + length));
      rest = rest.slice(4 + length);
    }
  }
  if (rest.length > 0) throw new Error('the stream was cut off');
}
