import { ELEMENT_BYTES, HitError } from '@hitmachine/protocol';
import type { Move, PseudonymMover } from '../../ports/pseudonym-mover.ts';
import type { MadeWith, StoredPseudonym } from '../../ports/pseudonym-store.ts';
import type { PushedClient, PushedClients } from '../../ports/pushed-clients.ts';

/** A client that was pushed, unsealed. */
export interface OpenedClient {
  readonly until: number | undefined;
  readonly pseudonyms: ReadonlyMap<string, StoredPseudonym>;
}

/** Clients that are made anew at once. */
const AT_ONCE = 500;

/**
 * Makes clients of a register that were pushed under former keys anew under those in use, in their places. May be cut off
 * at any point. Throws `not-ready` for those whose keys are gone.
 */
export async function movePushed(
  deps: {
    readonly pushed: PushedClients;
    readonly startMover: () => PseudonymMover;
    readonly moveFor: (from: MadeWith, to: MadeWith) => Promise<Move>;
    readonly open: (client: PushedClient) => OpenedClient;
    readonly seal: (client: PushedClient, opened: OpenedClient) => Uint8Array;
  },
  register: string,
  to: MadeWith,
): Promise<void> {
  const { pushed } = deps;
  if ((await pushed.ofOtherKeys(register, to, 1)).length === 0) return;
  const mover = deps.startMover();
  try {
    for (;;) {
      const [first, ...rest] = await pushed.ofOtherKeys(register, to, AT_ONCE);
      if (first === undefined) return;
      const move = await deps.moveFor(first, to).catch((cause: unknown) => {
        if (!(cause instanceof HitError) || cause.code === 'gateway-unreachable') throw cause;
        throw new HitError(
          'not-ready',
          'some were pushed under an earlier key that is not at hand any more: push all clients of this register again; until then it stays as it was',
          { cause },
        );
      });
      const isAlike = ({ nodeKey, evaluationKey }: PushedClient): boolean =>
        nodeKey === first.nodeKey && evaluationKey === first.evaluationKey;
      const clients = [first, ...rest.filter(isAlike)];
      const moved = await moveAll(clients.map(deps.open), (page) => mover.move(move, page));
      for (const [i, client] of clients.entries()) {
        const sealed = deps.seal(client, moved[i] as OpenedClient);
        await pushed.makeAnew(register, client, { sealed, ...to });
      }
    }
  } finally {
    await mover.close();
  }
}

async function moveAll(
  clients: readonly OpenedClient[],
  move: (page: Awaited<ReturnType<PseudonymMover['move']>>) => ReturnType<PseudonymMover['move']>,
): Promise<OpenedClient[]> {
  const all = clients.flatMap(({ pseudonyms }) => [...pseudonyms.values()]);
  const elements = new Uint8Array(all.length * ELEMENT_BYTES);
  all.forEach(({ element }, i) => elements.set(element, i * ELEMENT_BYTES));
  const page = await move({ elements, maskedHashes: Uint16Array.from(all, ({ maskedHash }) => maskedHash) });
  let at = 0;
  return clients.map(({ until, pseudonyms }) => {
    const made = [...pseudonyms].map(([type, pseudonym]): [string, StoredPseudonym] => {
      const i = at++;
      const element = page.elements.slice(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES);
      return [type, { ...pseudonym, element, maskedHash: page.maskedHashes[i] as number }];
    });
    return { until, pseudonyms: new Map(made) };
  });
}
