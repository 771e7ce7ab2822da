import { join } from 'node:path';
import type { Agency, Roster } from '@hitmachine/protocol';
import { HitError, Secret, keyServedBy, keysFingerprint, openRoster } from '@hitmachine/protocol';
import type { Command } from 'commander';
import { gatewayKeys } from '../domain/keys.ts';
import { requireHeldByAll, servingProcesses, silentProcesses } from '../domain/held-keys.ts';
import { prepareMembers, publishMembers } from '../domain/members.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import { readSeeds, systemRandom, writeSeeds } from './gateway-files.ts';
import type { QuotientGiven } from '../ports/directory.ts';
import type { OpenedGateway } from './open-gateway.ts';
import { withGateway } from './open-gateway.ts';
import { table } from './table.ts';
import { readDecision, writeDecision } from './to-sign.ts';
import { replicaRoot } from '../replica-secrets.ts';

/** `hit-gateway keys show | rotate | forget`: the evaluation key, the gateway's half of every pseudonym. */
export function addKeys(program: Command, context: CliContext): void {
  const keys = program
    .command('keys')
    .description("the gateway's half of the pseudonyms, and a change of it");
  const command = (name: string, description: string): Command =>
    keys.command(name).description(description).addOption(directoryOption(context));
  command('show', 'show which evaluation key is in force, and which agencies have followed').action(
    ({ dir }: DirectoryOptions) => withGateway(dir, (gateway) => show(context, gateway)),
  );
  command('rotate', 'make a new evaluation key, or put the one that was made in force')
    .option(
      '--activate [signed-file]',
      'every process of this gateway has the new key: put it in force; with an offline key, by the list that it signed',
    )
    .option('--out <file>', 'with an offline key: where to write the list of members that it has to sign')
    .action(({ dir, activate, out }: DirectoryOptions & RotateOptions) =>
      withGateway(dir, (gateway) =>
        activate === undefined ? make(context, gateway, out) : put(context, gateway, activate),
      ),
    );
  command('forget', 'take the evaluation key before out of the key store, when all have followed')
    .option(
      '--leave-behind',
      'also when some have not: their registers have no answer until they import again',
    )
    .option('--new-links', 'also make new keys between replicas: then all of them have to be restarted')
    .action(({ dir, ...options }: DirectoryOptions & ForgetOptions) =>
      withGateway(dir, (gateway) => forget(context, gateway, options)),
    );
}

interface ForgetOptions {
  readonly leaveBehind?: true;
  /** The keys that replicas share are made of the seeds that are left, as in a new gateway. */
  readonly newLinks?: true;
}

interface RotateOptions {
  /** The signed list of members, where one was given. */
  readonly activate?: true | string;
  readonly out?: string;
}

/** The roster in force, as the gateway that serves has made it. */
async function rosterOf({ directory, keys }: OpenedGateway): Promise<Roster> {
  const stored = await directory.latestRoster();
  if (stored === undefined)
    throw new HitError('not-ready', 'there is no roster yet: start the gateway first');
  return openRoster(keys.suite.backend, stored.document, keys.identityKey);
}

const isBehind = ({ gateway }: Roster, agency: Agency): boolean =>
  keyServedBy(gateway, agency) !== gateway.evaluationKey;

async function show(context: CliContext, gateway: OpenedGateway): Promise<void> {
  const roster = await rosterOf(gateway);
  const { evaluationKey, evaluationVersion = 1, formerEvaluationKey } = roster.gateway;
  context.print(`in force:   ${keysFingerprint(evaluationKey)} (number ${evaluationVersion})`);
  const made = gateway.keys.evaluations.at(-1)?.key;
  if (made !== undefined && made !== evaluationKey) {
    context.print(`made, and not in force yet:   ${keysFingerprint(made)}`);
    const held = (await servingProcesses(gateway.directory)).map(({ host, replica, keys }) => [
      `${host} (${replica})`,
      keys.includes(made) ? 'holds it' : 'does not hold it yet',
    ]);
    if (held.length > 0) context.print(table(['process', 'new evaluation key'], held));
  }
  if (formerEvaluationKey === undefined) return context.print('No change of it is under way.');
  context.print(
    `before:     ${keysFingerprint(formerEvaluationKey)}, as long as agencies are asked under it`,
  );
  const given = new Map(
    (await gateway.directory.quotientsGiven(evaluationKey)).map((one) => [one.agency, one]),
  );
  const rows = roster.agencies.map((agency) => [
    agency.id,
    isBehind(roster, agency) ? 'still asked under the key before' : 'has followed',
    givenText(given.get(agency.id)),
  ]);
  context.print(table(['agency', 'evaluation key', 'came for the new one'], rows));
}

function givenText(given: QuotientGiven | undefined): string {
  if (given === undefined) return 'not yet';
  const [first, last] = [given.firstAt, given.lastAt].map((at) => new Date(at).toISOString());
  return given.times === 1 ? `${first}` : `${first}, ${given.times} times until ${last}`;
}

async function make(context: CliContext, gateway: OpenedGateway, out: string | undefined): Promise<void> {
  const { keys, files, config, directory } = gateway;
  const hasOfflineKey = (await directory.offlineKey()) !== undefined;
  if (out !== undefined && !hasOfflineKey)
    throw new HitError('config-invalid', '--out: without an offline key there is nothing to be signed');
  const roster = await rosterOf(gateway);
  if (roster.gateway.formerEvaluationKey !== undefined)
    throw new HitError(
      'already-exists',
      'a change is under way: see "hit-gateway keys show", and end it with "hit-gateway keys forget"',
    );
  let after = keys;
  if (keys.evaluations.length < 2) {
    const { backend } = keys.suite;
    const nextEvaluationSeed = new Secret(systemRandom(32));
    const seeds = { ...(await readSeeds(backend, files, config)), nextEvaluationSeed };
    await writeSeeds(backend, files, config, seeds);
    after = gatewayKeys(backend, seeds);
  }
  context.print(`A new evaluation key stands in ${files.keystore}, and is not in force yet.`);
  const signed = hasOfflineKey ? await toSign(context, { ...gateway, keys: after }, out) : '';
  context.explain('Next: back it up, and copy it to every replica, which takes it up by itself. Then run:');
  context.explain(`  hit-gateway keys rotate --activate${signed}`);
}

/** Writes the list of members that puts the new key in force; gives what `--activate` gets of it. */
async function toSign(context: CliContext, gateway: OpenedGateway, out: string | undefined): Promise<string> {
  const { config, files, keys } = gateway;
  const { members, document } = await prepareMembers(gateway, config.federation, keys.evaluations[1]?.key);
  const path = out ?? join(files.directory, `members-${members.version}-new-key.to-sign.json`);
  await writeDecision(path, 'members', document);
  context.print(path);
  context.explain('The offline key has to sign the list of members that puts the new key in force:');
  context.explain(`  hit-gateway sign ${path} --key KEY-FILE     on the machine without network`);
  return ' SIGNED-FILE';
}

async function put(context: CliContext, gateway: OpenedGateway, file: true | string): Promise<void> {
  const { directory, keys, config } = gateway;
  const next = keys.evaluations[1]?.key;
  if (next === undefined)
    throw new HitError('not-ready', 'there is no new evaluation key yet; run: hit-gateway keys rotate');
  const hasOfflineKey = (await directory.offlineKey()) !== undefined;
  if (hasOfflineKey && file === true)
    throw new HitError(
      'config-invalid',
      'the offline key has to sign the list of members with the new key: give --activate the file that "hit-gateway sign" wrote',
    );
  if (!hasOfflineKey && file !== true)
    throw new HitError('config-invalid', '--activate takes no file where there is no offline key');
  await requireHeldByAll(directory, next);
  for (const { host, replica, agoMs } of await silentProcesses(directory, next))
    context.explain(
      `Not waited for: ${host} (${replica}), which has said nothing for ${Math.round(agoMs / 1_000)} s. If it runs, it says not-ready until it has the new key.`,
    );
  if (file === true) await directory.useEvaluationKey(next);
  else {
    const decision = await readDecision(file);
    if (decision.kind !== 'members') throw new HitError('config-invalid', `${file} is a policy`);
    await publishMembers(gateway, decision.document, config.federation, next);
  }
  context.print(
    `The evaluation key ${keysFingerprint(next)} comes into force with the next roster, within a second.`,
  );
  context.explain(
    [
      'Agencies follow by themselves, each at its own pace: they get what takes their pseudonyms along, sealed, and',
      'nobody imports anything again. Until an agency has followed it is asked under the key before.',
      '"hit-gateway keys show" tells who has followed; when all have: hit-gateway keys forget.',
      'This is no cure after a leak of the key before: whoever has it, and is an agency, can compute the new one.',
    ].join('\n'),
  );
}

async function forget(
  context: CliContext,
  gateway: OpenedGateway,
  { leaveBehind, newLinks }: ForgetOptions,
): Promise<void> {
  const { keys, files, config } = gateway;
  const roster = await rosterOf(gateway);
  if (
    roster.gateway.formerEvaluationKey === undefined ||
    roster.gateway.evaluationKey !== keys.evaluations[1]?.key
  )
    throw new HitError('not-ready', 'there is no evaluation key before the one in force');
  const behind = roster.agencies.filter((agency) => isBehind(roster, agency)).map(({ id }) => id);
  if (behind.length > 0 && leaveBehind !== true)
    throw new HitError(
      'not-ready',
      `${behind.join(', ')}: not followed yet, so the key before is needed; with --leave-behind their registers have no answer until they import again`,
    );
  const seeds = await readSeeds(keys.suite.backend, files, config);
  const { identitySeed, nextEvaluationSeed: evaluationSeed } = seeds;
  if (evaluationSeed === undefined) throw new HitError('keystore-invalid');
  await writeSeeds(keys.suite.backend, files, config, {
    identitySeed,
    evaluationSeed,
    ...(newLinks !== true && { replicaRoot: replicaRoot(seeds, config.federation) }),
  });
  context.print(`The evaluation key before is gone from ${files.keystore}.`);
  context.explain(
    newLinks === true
      ? 'Copy it to every replica, restart all of them, and destroy older copies. Until then those with the new file and those with the old one pass each other no questions.'
      : 'Copy it to every replica, which forgets the key by itself, and destroy older copies.',
  );
}
