import { HitError } from '@hitmachine/protocol';
import type { KeyChangeStore } from '../../ports/key-change-store.ts';
import type { AgencyKeys } from '../keys.ts';

/**
 * Makes pseudonyms and tables from now on with the node key and under the evaluation key that the store says are in use. `reread` takes in the key
 * store again: a command or another replica may have put a new key there. Throws `key-changed` when the key store does
 * not have it; then nothing new may be made, and what is answered from goes on with the key that it was made with until
 * there are tables made with the new one.
 */
export async function followNodeKey(
  keys: Pick<AgencyKeys, 'useNodeKey' | 'evaluationKey'>,
  store: Pick<KeyChangeStore, 'nodeKeyInUse' | 'evaluationKeyInUse'>,
  reread: () => Promise<void>,
): Promise<void> {
  keys.evaluationKey = await store.evaluationKeyInUse();
  const inUse = await store.nodeKeyInUse();
  if (inUse === undefined || keys.useNodeKey(inUse)) return;
  await reread();
  if (!keys.useNodeKey(inUse)) throw new HitError('key-changed', UNKNOWN_NODE_KEY);
}

/** What an operator does about it. */
export const UNKNOWN_NODE_KEY =
  'the database was made with a node key that this key store does not have: copy keystore.json from the machine where "hit-agent keys rotate" was run, or restore the one that belongs to this database from your backup';
