import { workerPseudonymMover } from './adapters/workers/pseudonym-mover.ts';
import type { AnsweringTables } from './domain/answering/answering-tables.ts';
import { followGateway } from './domain/rotation/follow-gateway.ts';
import { KeyMover } from './domain/rotation/key-mover.ts';
import { moveFor } from './domain/rotation/moves.ts';
import type { RosterKeeper } from './domain/membership/roster-keeper.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import type { OperationalLog } from './ports/operational-log.ts';

/** What carries out changes of keys in a running agent; `changed` is called when all pseudonyms are those of other keys. */
export function openKeyMover(
  { backend, keys, keyChanges: store, rereadKeys }: OpenedAgent,
  deps: {
    readonly tables: AnsweringTables;
    readonly roster: RosterKeeper;
    readonly gateway: GatewayClient;
    readonly log: OperationalLog;
    readonly leads: () => boolean;
  },
  changed: () => void,
): KeyMover {
  const { tables, roster, gateway, log, leads } = deps;
  const moving = { backend, keys, gateway, store, roster };
  return new KeyMover({
    ...{ keys, store, rereadKeys, log, leads, changed },
    moveFor: (from, to) => moveFor({ ...moving, agency: roster.self.id }, from, to),
    followGateway: () => followGateway(moving),
    startMover: () => workerPseudonymMover(),
    isSound: () => tables.isSound(),
  });
}
