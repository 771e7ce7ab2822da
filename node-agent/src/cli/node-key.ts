import { HitError, sealKeystore } from '@hitmachine/protocol';
import { readUnlock, writeSecretFile } from '../directory.ts';
import type { Seeds } from '../domain/keys.ts';
import { withNextNodeSeed, withoutFormerNodeSeed } from '../domain/keys.ts';
import { UNKNOWN_NODE_KEY } from '../domain/rotation/node-key-in-use.ts';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent, readSeeds } from '../open-agent.ts';
import { openPushedClients } from '../open-sources.ts';
import { secureRandom } from '../random.ts';
import type { Terminal } from './print.ts';
import { counted } from './print.ts';

const NO_CURE =
  'This is no cure after a leak: whoever has copies of the key store and of the database from before can still do with\n' +
  'them what he could. See the operator\'s guide, "When a key leaked".';

/** `hit-agent keys rotate --node-key`: makes the next k_n; the serving agent does the work by itself. */
export async function rotateNodeKey(
  path: string,
  options: { readonly copied: boolean },
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { keyChanges, config, directory, keys } = agent;
    await requireSettled(agent);
    const isShared = config.database !== undefined;
    const [present] = keys.nodeKeys;
    const isThere = keys.nodeKeys.length > 1 && present?.mark === keys.nodeKeyMark;
    if (isShared && options.copied && !isThere)
      throw new HitError('not-ready', 'there is no new node key to copy yet: run it without --copied first');
    const mark = await makeNodeKey(agent);
    if (isShared && !options.copied)
      return terminal.out(
        [
          `A new node key stands in ${directory.keystore}, and is not used yet. The database may be shared by replicas of`,
          'this agent: copy the file to each of them (none has to be restarted), and to your backup. Then run:',
          '  hit-agent keys rotate --node-key --copied',
        ].join('\n'),
      );
    await keyChanges.want({ nodeKey: mark });
    const { total } = await keyChanges.progress();
    terminal.out(
      [
        `A new node key stands in ${directory.keystore}: back it up again.`,
        `The running agent makes ${counted(total, 'pseudonym')} anew with it, beside those in use, and goes on by itself after a`,
        'restart. Lookups are answered meanwhile, and imports go on; nothing has to be imported again. "hit-agent keys show"',
        'tells how far it is. An import that has begun before the new key is in use says so at its end, and is run again.',
        NO_CURE,
      ].join('\n'),
    );
  } finally {
    await agent.database.close();
  }
}

/** `hit-agent keys forget`: takes the former node key out of the key store, when nothing is left that was made with it. */
export async function forgetNodeKey(path: string, terminal: Terminal): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { keys, directory } = agent;
    await requireSettled(agent);
    const [first] = keys.nodeKeys;
    if (keys.nodeKeys.length < 2) return terminal.out('The key store has one node key, the one in use.');
    if (first?.mark === keys.nodeKeyMark)
      throw new HitError(
        'not-ready',
        'the new node key in the key store is not in use yet; run: hit-agent keys rotate --node-key',
      );
    await storeSeeds(agent, withoutFormerNodeSeed(await seedsOf(agent)));
    terminal.out(
      `The former node key is gone from ${directory.keystore}. Destroy the copies of it that you keep.`,
    );
  } finally {
    await agent.database.close();
  }
}

/** What `hit-agent keys show` says of the node key. */
export async function nodeKeyLines({ keys, keyChanges }: OpenedAgent): Promise<string[]> {
  const inUse = await keyChanges.nodeKeyInUse();
  if (inUse === undefined) return [];
  if (keys.nodeKeyOf(inUse) === undefined) return [`node key in use:   ${inUse}; ${UNKNOWN_NODE_KEY}`];
  const lines = [`node key in use:   ${inUse}`];
  const wanted = await keyChanges.wanted();
  if (wanted !== undefined) {
    const { done, total } = await keyChanges.progress();
    if (wanted.evaluation !== undefined)
      return [
        ...lines,
        `The gateway has a new evaluation key; this agency follows: ${done} of ${counted(total, 'pseudonym')} made anew.`,
      ];
    return [
      ...lines,
      `A change to the node key ${wanted.nodeKey} is under way: ${done} of ${counted(total, 'pseudonym')} made anew.`,
    ];
  }
  if (!(await keyChanges.isSettled()))
    return [
      ...lines,
      'All pseudonyms are those of the keys in use. What was made with the former ones goes when the tables are built anew and the canaries are back.',
    ];
  const [first] = keys.nodeKeys;
  if (keys.nodeKeys.length < 2) return lines;
  return first?.mark === inUse
    ? [...lines, 'A new one was made and is not used yet: "hit-agent keys rotate --node-key" goes on.']
    : [
        ...lines,
        'The former one is not needed any more; to take it out of the key store: hit-agent keys forget',
      ];
}

/** Throws unless nothing is left of a change before this one: its keys are still needed. */
async function requireSettled({ keyChanges, keys, config, directory, shared }: OpenedAgent): Promise<void> {
  const inUse = await keyChanges.nodeKeyInUse();
  if (inUse === undefined)
    throw new HitError(
      'not-ready',
      'this agent has not run with this version yet: start it once, and then run this',
    );
  if (keys.nodeKeyOf(inUse) === undefined) throw new HitError('key-changed', UNKNOWN_NODE_KEY);
  if ((await keyChanges.wanted()) !== undefined)
    throw new HitError(
      'already-exists',
      'a change of keys is under way, of this node or of the gateway: see "hit-agent keys show"',
    );
  if (!(await keyChanges.isSettled()))
    throw new HitError(
      'not-ready',
      'the last change of keys is not over: what was made with the former ones goes when the running agent has built new tables and its canaries are back; see "hit-agent keys show"',
    );
  const pushedTo = config.registers.filter(({ source }) => source?.push !== undefined);
  if (pushedTo.length === 0) return;
  const pushed = openPushedClients(directory.path, shared);
  try {
    for (const { id } of pushedTo)
      if ((await pushed.ofOtherKeys(id, { nodeKey: inUse }, 1)).length > 0)
        throw new HitError(
          'not-ready',
          `clients that were pushed to ${id} are not made anew with the node key in use yet: the running agent does it with the next push, or when it starts`,
        );
  } finally {
    pushed.close();
  }
}

const seedsOf = ({ backend, directory, config }: OpenedAgent): Promise<Seeds> =>
  readSeeds(backend, directory, config);

async function storeSeeds({ backend, directory, config }: OpenedAgent, seeds: Seeds): Promise<void> {
  const sealed = await sealKeystore(backend, readUnlock(directory, config), seeds, secureRandom);
  writeSecretFile(directory.keystore, `${JSON.stringify(sealed, undefined, 2)}\n`);
}

/** The mark of the next node key; made and stored where there is none that waits. Lost keys are never called for. */
async function makeNodeKey(agent: OpenedAgent): Promise<string> {
  const { keys } = agent;
  const seeds = await seedsOf(agent);
  const [first] = keys.nodeKeys;
  const next = withNextNodeSeed(seeds, first?.mark === keys.nodeKeyMark ? 'first' : 'next', secureRandom);
  if (next !== seeds) {
    await storeSeeds(agent, next);
    await agent.rereadKeys();
  }
  const made = keys.nodeKeys.at(-1);
  if (made === undefined || keys.nodeKeys.length < 2) throw new HitError('keystore-invalid');
  return made.mark;
}
