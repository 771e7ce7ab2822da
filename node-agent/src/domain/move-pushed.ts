import type { Backend } from '@hitmachine/protocol';
import { ELEMENT_BYTES, HitError } from '@hitmachine/protocol';
import type { PseudonymMover } from '../ports/pseudonym-mover.ts';
import type { StoredPseudonym } from '../ports/pseudonym-store.ts';
import type { PushedClient, PushedClients } from '../ports/pushed-clients.ts';
import { moveBetween } from './key-mover.ts';
import type { AgencyKeys } from './keys.ts';

/** A client that was pushed, unsealed. */
export interface OpenedClient {
  readonly until: number | undefined;
  readonly pseudonyms: ReadonlyMap<string, StoredPseudonym>;
}

/** Clients that are made anew at once. */
const AT_ONCE = 500;

/**
 * Makes clients of a register that were pushed under former node keys anew under the one in use, in their places. May be
 * cut off at any point. Throws `not-ready` for those whose key is gone.
 */
export async function movePushed(
  deps: {
    readonly backend: Backend;
    readonly keys: AgencyKeys;
    readonly pushed: PushedClients;
    readonly startMover: () => PseudonymMover;
    readonly open: (client: PushedClient) => OpenedClient;
    readonly seal: (client: PushedClient, opened: OpenedClient) => Uint8Array;
  },
  register: string,
): Promise<void> {
  const { keys, pushed } = deps;
  const to = keys.nodeKeyOf(keys.nodeKeyMark);
  if (to === undefined || (await pushed.ofOtherNodeKeys(register, to.mark, 1)).length === 0) return;
  const mover = deps.startMover();
  try {
    for (;;) {
      const [first, ...rest] = await pushed.ofOtherNodeKeys(register, to.mark, AT_ONCE);
      if (first === undefined) return;
      const from = keys.nodeKeyOf(first.nodeKey);
      if (from === undefined)
        throw new HitError(
          'not-ready',
          'some were pushed under a node key that this key store does not have any more: push all clients of this register again; until then it stays as it was',
        );
      const clients = [first, ...rest.filter(({ nodeKey }) => nodeKey === first.nodeKey)];
      const opened = clients.map(deps.open);
      const moved = await moveAll(opened, (page) => mover.move(moveBetween(deps.backend, from, to), page));
      for (const [i, client] of clients.entries()) {
        const sealed = deps.seal(client, moved[i] as OpenedClient);
        await pushed.makeAnew(register, client, { ...client, sealed, nodeKey: to.mark });
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
