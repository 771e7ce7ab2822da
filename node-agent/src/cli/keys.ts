import type { Agency, KeyChange } from '@hitmachine/protocol';
import {
  HitError,
  WINDOW_MS,
  agencyFingerprint,
  encodeBase64,
  sealKeystore,
  signKeyChange,
} from '@hitmachine/protocol';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { readUnlock, writeSecretFile } from '../directory.ts';
import { fingerprintAfter } from '../domain/membership/key-changes.ts';
import type { AgencyKeys, OwnIdentity } from '../domain/keys.ts';
import { withNextSeeds } from '../domain/keys.ts';
import { RosterKeeper } from '../domain/membership/roster-keeper.ts';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent, readSeeds } from '../open-agent.ts';
import { secureRandom } from '../random.ts';
import { forgetNodeKey, nodeKeyLines, rotateNodeKey } from './node-key.ts';
import type { Terminal } from './print.ts';
import { warnings } from './warnings.ts';

/** Clocks differ: a change that is announced for just as far ahead as it must be would be refused by one behind. */
const SLACK_MS = 120_000;
/** Where the policy wants no days in between, the change is for at once. */
const AT_ONCE_MS = 5_000;
const MOST_DAYS = 365;

/** `hit-agent keys show`, `hit-agent keys rotate` and `hit-agent keys forget`. */
export function addKeys(program: Command, defaultDirectory: string, terminal: Terminal): void {
  const keys = program.command('keys').description("this agency's own keys").exitOverride();
  const command = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .option('--dir <directory>', "the agent's directory", defaultDirectory)
      .exitOverride();
  command('show', 'show the fingerprints of the keys, and where a change of them stands').action(
    (options: { dir: string }) => showKeys(options.dir, terminal),
  );
  command('rotate', 'make new identity and session keys, and announce them; or a new node key')
    .option('--in <days>', 'from when they are used; as many days as the policy wants, unless given', days)
    .option('--node-key', 'a new node key (k_n): pseudonyms are made anew with it while lookups go on')
    .option('--copied', 'with --node-key: the key store was copied to all replicas of this agent')
    .action((options: RotateOptions) =>
      options.nodeKey === true
        ? rotateNodeKey(options.dir, { copied: options.copied === true }, terminal)
        : rotateKeys(options.dir, options.in, terminal),
    );
  command('forget', 'take the former node key out of the key store').action((options: { dir: string }) =>
    forgetNodeKey(options.dir, terminal),
  );
}

interface RotateOptions {
  readonly dir: string;
  readonly in?: number;
  readonly nodeKey?: true;
  readonly copied?: true;
}

function days(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > MOST_DAYS)
    throw new InvalidArgumentError(`A number of days, at most ${MOST_DAYS}.`);
  return number;
}

/** Runs `work` with the roster as it is now. */
async function withRoster<T>(
  path: string,
  terminal: Terminal,
  work: (agent: OpenedAgent, roster: RosterKeeper) => Promise<T>,
): Promise<T> {
  const agent = await openAgent(path);
  try {
    const { membership, gateway } = await agent.enrolled();
    const log = warnings(terminal, ['key-change-announced', 'key-change-followed']);
    const roster = await RosterKeeper.open(agent.backend, agent.state, membership, log, Date.now, agent.keys);
    await roster.accept(await gateway.roster());
    return await work(agent, roster);
  } finally {
    await agent.database.close();
  }
}

const pendingOf = ({ identityKey, keyChange }: Agency): KeyChange | undefined =>
  keyChange?.previousIdentityKey === identityKey ? keyChange : undefined;

const fingerprintOf = (self: Agency, { identityKey, sessionKey }: OwnIdentity): string =>
  agencyFingerprint({ ...self, identityKey: encodeBase64(identityKey), sessionKey });

const isOneOf = (keys: AgencyKeys, key: string): boolean =>
  keys.identities.some(({ identityKey }) => encodeBase64(identityKey) === key);

function showKeys(path: string, terminal: Terminal): Promise<void> {
  return withRoster(path, terminal, async (agent, { self }) => {
    const { keys } = agent;
    for (const line of await nodeKeyLines(agent)) terminal.out(line);
    terminal.out(`${self.id} on the roster:   ${agencyFingerprint(self)}`);
    terminal.out(`this agent uses:   ${fingerprintOf(self, keys)}`);
    const pending = pendingOf(self);
    if (pending === undefined) return terminal.out('No change of keys is announced.');
    const from = new Date(pending.from).toISOString();
    const whose = isOneOf(keys, pending.identityKey) ? 'by this agent' : 'NOT BY THIS AGENT';
    terminal.out(`announced for ${from}, ${whose}:   ${fingerprintAfter(self, pending)}`);
  });
}

/** Makes the next keys, keeps them, and only then announces them: what is announced is never lost. */
function rotateKeys(path: string, wanted: number | undefined, terminal: Terminal): Promise<void> {
  return withRoster(path, terminal, async (agent, roster) => {
    const { backend, directory, config, keys } = agent;
    const { self } = roster;
    const { federation, policy } = roster.roster;
    if (encodeBase64(keys.identityKey) !== self.identityKey)
      throw new HitError('key-changed', 'the roster holds other keys for this agency than its own');
    const pending = pendingOf(self);
    if (pending !== undefined)
      throw new HitError(
        'already-exists',
        `a change of keys is announced for ${new Date(pending.from).toISOString()} already: see "hit-agent keys show"`,
      );
    const least = policy.keyOverlapDays;
    const ahead = wanted ?? least;
    if (ahead < least)
      throw new HitError(
        'config-invalid',
        `--in: the policy wants ${least} days between announcement and use`,
      );
    const next = await nextIdentity(agent);
    const change = signKeyChange(
      backend,
      { federation, agency: self.id },
      {
        previousIdentityKey: self.identityKey,
        identityKey: encodeBase64(next.identityKey),
        sessionKey: next.sessionKey,
        from: Date.now() + ahead * WINDOW_MS.day + (ahead === 0 ? AT_ONCE_MS : SLACK_MS),
      },
      { previous: keys.identitySeed.reveal(), next: next.identitySeed.reveal() },
    );
    const { gateway } = await agent.enrolled();
    // The agent that serves sees that the database was written to, and reads the key store anew.
    await roster.accept(await gateway.announceKeys(change));
    terminal.out(
      [
        `New keys of ${self.id} are announced for ${new Date(change.from).toISOString()}: ${fingerprintOf(self, next)}`,
        `They stand in ${directory.keystore}: back it up again. Nothing else has to be done; agents of this agency on`,
        `other machines need a copy of it${config.passphraseFile === undefined ? '' : ' (the passphrase is the same)'}.`,
      ].join('\n'),
    );
  });
}

/** The next identity, from the key store; made and stored where there is none that waits for its announcement. */
async function nextIdentity(agent: OpenedAgent): Promise<OwnIdentity> {
  const { backend, directory, config, keys } = agent;
  const seeds = await readSeeds(backend, directory, config);
  const [first] = keys.identities;
  const isFirst = first !== undefined && encodeBase64(first.identityKey) === encodeBase64(keys.identityKey);
  const next = withNextSeeds(seeds, isFirst ? 'first' : 'next', secureRandom);
  if (next !== seeds) {
    const sealed = await sealKeystore(backend, readUnlock(directory, config), next, secureRandom);
    writeSecretFile(directory.keystore, `${JSON.stringify(sealed, undefined, 2)}\n`);
    await agent.rereadKeys();
  }
  const made = keys.identities.at(-1);
  if (made === undefined || keys.identities.length < 2) throw new HitError('keystore-invalid');
  return made;
}
