import type { Random } from '@hitmachine/protocol';
import { HitError, Secret } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import { workerPseudonymMover } from './adapters/workers/pseudonym-mover.ts';
import { readSecretFile } from './directory.ts';
import { HandOvers } from './domain/importing/hand-overs.ts';
import type { RosterKeeper } from './domain/membership/roster-keeper.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { Clock } from './ports/clock.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import type { OperationalLog } from './ports/operational-log.ts';

/** Characters that a key has at least: what "openssl rand -base64 32" gives has 44. */
const SHORTEST_KEY = 32;

/** The key of machines that hand over registers. Throws `config-invalid` with the file and the cure. */
export function readHandOverKey(file: string): Secret<string> {
  const cure = `make one with: (umask 077; openssl rand -base64 32 > ${file})`;
  const key = readSecretFile(file, cure).toString('utf8').trim();
  if (key.length < SHORTEST_KEY || /\s/.test(key))
    throw new HitError(
      'config-invalid',
      `${file}: one line of at least ${SHORTEST_KEY} characters without spaces; ${cure}`,
    );
  return new Secret(key);
}

/** What takes in hand-overs, where agent.yaml lets machines do that. `changed`: a register holds another content. */
export function openHandOvers(
  { config, directory, suite, keys, pseudonyms, besideAnswering, state }: OpenedAgent,
  deps: {
    readonly roster: RosterKeeper;
    readonly gateway: GatewayClient;
    readonly random: Random;
    readonly clock: Clock;
    readonly log: OperationalLog;
  },
  changed: () => void,
): { readonly handOvers: HandOvers; readonly key: Secret<string> } | undefined {
  if (config.handOver === undefined) return undefined;
  const { roster, gateway, random, clock, log } = deps;
  const { registers } = config;
  return {
    key: readHandOverKey(fileOf(directory.path, config.handOver.keyFile)),
    handOvers: new HandOvers({
      ...{ suite, keys, pseudonyms, state, registers, roster, gateway, random, clock, log, changed },
      imports: besideAnswering,
      startMover: () => workerPseudonymMover(),
    }),
  };
}
