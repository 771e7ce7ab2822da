import type { Command } from 'commander';
import { Option } from 'commander';
import {
  HitError,
  agencyKinds,
  decodeBase64,
  loadSodium,
  membersSchema,
  parseJson,
} from '@hitmachine/protocol';
import { readConfig } from '../config.ts';
import { inviteAgency, revokeInvitation } from '../domain/invitation.ts';
import { openLog } from '../domain/log-opening.ts';
import { gatewayKeys } from '../domain/keys.ts';
import { listed } from '../domain/members.ts';
import { removeAgency } from '../domain/removal.ts';
import { gatewayFiles, readSeeds, systemRandom } from './gateway-files.ts';
import type { GatewayStore } from './gateway-store.ts';
import { openGatewayStore } from './gateway-store.ts';
import type { AgencyRecord } from '../ports/directory.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import { table } from './table.ts';

interface AddOptions extends DirectoryOptions {
  readonly name: string;
  readonly kind: string;
  readonly clients: string;
}

/** `hit-gateway agency add`, `agency revoke-token`, `agency remove` and `agency list`. All of them work while the gateway runs. */
export function addAgency(program: Command, context: CliContext): void {
  const agency = program.command('agency').description('invite agencies, take them off, and list them');
  agency
    .command('add')
    .description(
      'invite an agency; prints its one-time enrolment token, and nothing else, on standard output',
    )
    .argument('<id>', 'identifier of the agency: lower-case letters, digits and hyphens')
    .requiredOption('--name <name>', 'name, as professionals will see it')
    .addOption(new Option('--kind <kind>', 'kind of agency').choices(agencyKinds).makeOptionMandatory())
    .option(
      '--clients <number>',
      'clients that its registers will hold, about: bounds what it may import',
      '10000',
    )
    .addOption(directoryOption(context))
    .action((id: string, options: AddOptions) => add(context, id, options));
  agency
    .command('remove')
    .description(
      'take an agency off the roster; its requests are refused and its connections closed at once. What it did stays in the log',
    )
    .argument('<id>', 'identifier of the agency')
    .addOption(directoryOption(context))
    .action((id: string, options: DirectoryOptions) => remove(context, id, options));
  agency
    .command('revoke-token')
    .description('make the enrolment token of an agency worthless that nobody has used yet')
    .argument('<id>', 'identifier of the agency')
    .addOption(directoryOption(context))
    .action((id: string, options: DirectoryOptions) => revoke(context, id, options));
  agency
    .command('list')
    .description('list the agencies')
    .addOption(directoryOption(context))
    .action((options: DirectoryOptions) => list(context, options));
}

async function add(context: CliContext, id: string, options: AddOptions): Promise<void> {
  const files = gatewayFiles(options.dir);
  const config = readConfig(files.config);
  const backend = await loadSodium();
  const keys = gatewayKeys(backend, await readSeeds(backend, files, config));
  const store = await openGatewayStore(files, config);
  try {
    const runtime = { now: Date.now, random: systemRandom };
    const agency = { id, name: options.name, kind: options.kind, clients: Number(options.clients) };
    await openLog({ ...store, runtime }, config.federation, keys.identityKey);
    const invited = await inviteAgency({ ...store, runtime, gatewayKey: keys.identityKey }, agency);
    context.print(invited.token);
    context.explain('Give this token to the agency over a safe channel. It works once, within 7 days:');
    context.explain('  hit-agent enrol --gateway URL --token-file FILE');
    if (invited.before === 'invited') context.explain(`An earlier token for ${id} no longer works.`);
    if (invited.before === 'enrolled')
      context.explain(
        `${id} is enrolled already. With this token it can enrol again with new keys; its partners will then see a changed key and must accept it.`,
      );
  } catch (error) {
    throw asUsage(error);
  } finally {
    await store.close();
  }
}

async function revoke(context: CliContext, id: string, options: DirectoryOptions): Promise<void> {
  const files = gatewayFiles(options.dir);
  const store = await openGatewayStore(files, readConfig(files.config));
  try {
    const runtime = { now: Date.now, random: systemRandom };
    const { name, enrolment } = await revokeInvitation({ ...store, runtime }, id);
    context.print(`The token of ${id} (${name}) no longer works.`);
    if (enrolment !== undefined) context.explain(`${id} stays enrolled with the keys that it has.`);
    context.explain('"hit-gateway agency add" makes another one.');
  } catch (error) {
    throw withoutAgency(error);
  } finally {
    await store.close();
  }
}

/** Names the argument, and where the identifiers stand. */
function withoutAgency(error: unknown): unknown {
  if (!(error instanceof HitError) || !['unknown-agency', 'already-exists'].includes(error.code))
    return error;
  const see = error.code === 'unknown-agency' ? '; see "hit-gateway agency list"' : '';
  return new HitError(error.code, `<id>: ${error.detail}${see}`, { cause: error });
}

/** Speaks of the options by the names that they have on the command line. */
function asUsage(error: unknown): unknown {
  if (!(error instanceof HitError) || error.code !== 'field-invalid') return error;
  const lines = error.fields.map(
    ({ field, detail }) => `${field === 'id' ? '<id>' : `--${field}`}: ${detail}`,
  );
  return new HitError('field-invalid', lines.join('\n'), { cause: error });
}

async function remove(context: CliContext, id: string, options: DirectoryOptions): Promise<void> {
  const files = gatewayFiles(options.dir);
  const config = readConfig(files.config);
  const store = await openGatewayStore(files, config);
  try {
    const runtime = { now: Date.now, random: systemRandom };
    const { name, enrolment } = await removeAgency({ ...store, runtime }, id);
    if (enrolment === undefined)
      context.print(`${id} (${name}) is no longer invited. Its token no longer works.`);
    else {
      context.print(`${id} (${name}) is off the roster. Its requests are refused from now on.`);
      context.explain('A gateway that runs closes its connections within a second.');
    }
    context.explain('Its entries stay in the log. "hit-gateway agency add" invites it again.');
  } catch (error) {
    throw withoutAgency(error);
  } finally {
    await store.close();
  }
}

async function list(context: CliContext, options: DirectoryOptions): Promise<void> {
  const files = gatewayFiles(options.dir);
  const config = readConfig(files.config);
  const store: GatewayStore = await openGatewayStore(files, config);
  try {
    const agencies = await store.directory.agencies();
    const waiting = await waitingForSignature(store, agencies);
    if (agencies.length === 0) context.explain('No agencies yet: run "hit-gateway agency add".');
    else
      context.print(
        table(
          ['ID', 'NAME', 'KIND', 'CLIENTS', 'STATUS', 'REGISTERS'],
          agencies.map((agency) => rowOf(agency, waiting)),
        ),
      );
    if (waiting.size > 0)
      context.explain(
        'Waiting: "hit-gateway members prepare" writes the list that the offline key has to sign.',
      );
  } finally {
    await store.close();
  }
}

/** Agencies that stand on the roster only once a list of members with them as they are now is signed. */
async function waitingForSignature(
  { directory }: GatewayStore,
  agencies: readonly AgencyRecord[],
): Promise<ReadonlySet<string>> {
  if ((await directory.offlineKey()) === undefined) return new Set();
  const stored = await directory.latestMembers();
  const members =
    stored === undefined ? { agencies: [] } : parseJson(membersSchema, decodeBase64(stored.document.payload));
  const announced = new Map(members.agencies.map(({ id, keyChange }) => [id, JSON.stringify(keyChange)]));
  const stands = new Set(
    listed(agencies, members, Date.now())
      .filter(({ id, keyChange }) => announced.get(id) === JSON.stringify(keyChange))
      .map(({ id }) => id),
  );
  return new Set(
    agencies.flatMap(({ id, enrolment }) => (enrolment === undefined || stands.has(id) ? [] : [id])),
  );
}

function rowOf(
  { id, name, kind, clients, enrolment, tokenUsedBy, tokenExpires }: AgencyRecord,
  waiting: ReadonlySet<string>,
): string[] {
  const expired = Date.now() > tokenExpires;
  const open = tokenUsedBy === undefined && !expired;
  const invited = open ? 'invited' : 'invitation expired';
  const stands = waiting.has(id) ? 'enrolled, waiting for signature' : 'enrolled';
  const status = enrolment === undefined ? invited : open ? `${stands}, invited again` : stands;
  const registers = enrolment?.registers.map((register) => register.id).join(', ') ?? '';
  return [id, name, kind, String(clients), status, registers];
}
