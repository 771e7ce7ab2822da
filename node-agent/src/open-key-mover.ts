import { workerPseudonymMover } from './adapters/workers/pseudonym-mover.ts';
import type { AnsweringTables } from './domain/answering-tables.ts';
import { KeyMover } from './domain/key-mover.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { OperationalLog } from './ports/operational-log.ts';

/** What carries out changes of keys in a running agent; `changed` is called when all pseudonyms are those of other keys. */
export const openKeyMover = (
  { backend, keys, keyChanges, rereadKeys }: OpenedAgent,
  {
    tables,
    log,
    leads,
  }: { readonly tables: AnsweringTables; readonly log: OperationalLog; readonly leads: () => boolean },
  changed: () => void,
): KeyMover =>
  new KeyMover({
    ...{ backend, keys, store: keyChanges, rereadKeys, log, leads, changed },
    startMover: () => workerPseudonymMover(),
    isSound: (nodeKey) => tables.isSound(nodeKey),
  });
