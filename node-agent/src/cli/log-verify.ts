import { readFileSync } from 'node:fs';
import type { AgencyLogHead } from '@hitmachine/protocol';
import { HitError, base64Schema, decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import { sqlAgencyLog } from '../adapters/sql/agency-log.ts';
import { openSqliteCopy } from '../adapters/sqlite/agent-database.ts';
import { sqlLogRows } from '../adapters/sql/log-rows.ts';
import type { LogCheck } from '../domain/own-log/log-check.ts';
import { checkLog } from '../domain/own-log/log-check.ts';
import { openAgent } from '../open-agent.ts';
import { secureRandom } from '../random.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

export interface LogVerifyOptions {
  /** Heads of this log that others hold. */
  readonly anchors?: string | undefined;
  /** A copy of the database, to be looked at without keys and without this agent. */
  readonly database?: string | undefined;
  readonly json: boolean;
}

/**
 * `hit-agent log verify`: whether the agency's own log is as it was written. Returns whether it is; prints the first
 * entry that is not.
 */
export async function logVerify(
  path: string,
  options: LogVerifyOptions,
  terminal: Terminal,
): Promise<boolean> {
  const check = await checked(path, options);
  const head = { sequence: check.head.sequence, chain: encodeBase64(check.head.chain) };
  terminal.out(options.json ? JSON.stringify({ ...check, head }) : inWords(check, options));
  return check.fault === undefined;
}

async function checked(path: string, options: LogVerifyOptions): Promise<LogCheck> {
  if (options.database !== undefined) {
    const anchors = readAnchors(options.anchors);
    const database = openSqliteCopy(options.database);
    try {
      return await checkLog(sqlLogRows(database), { anchors });
    } finally {
      await database.close();
    }
  }
  const agent = await openAgent(path);
  try {
    const anchors = readAnchors(options.anchors, (await agent.state.membership())?.agency);
    const log = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    return await checkLog(log, { anchors, opener: log });
  } finally {
    await agent.database.close();
  }
}

function inWords(
  { entries, removed, opened, anchors, head, fault }: LogCheck,
  options: LogVerifyOptions,
): string {
  if (fault !== undefined)
    return `Entry ${fault.sequence} is not as it was written (${fault.kind}): ${fault.detail}.`;
  const looked = [
    options.database === undefined
      ? `${opened} opened with the key of this agency`
      : 'looked at without the key',
    ...(removed === 0 ? [] : [`${removed} without content, which was kept as long as it may be`]),
  ];
  return [
    `${counted(entries, 'entry', 'entries')}, ${looked.join(', ')}: none was changed, moved, taken out or put in between.`,
    anchors === 0
      ? 'Whether the newest were cut off shows only beside the heads that stand in the log of the gateway: --anchors FILE.'
      : `It is the log that ${counted(anchors, 'anchor')} ${anchors === 1 ? 'tells' : 'tell'} of.`,
    `Head: entry ${head.sequence}, ${encodeBase64(head.chain)}`,
  ].join('\n');
}

const headSchema = z.object({ sequence: z.int().min(0), chain: base64Schema(32) });
/** An entry of the gateway's log with an agency's commitment to its tables, which holds the head of its log. */
const commitmentSchema = z.object({ event: z.literal('tables'), agency: z.string(), body: z.string() });
const bodySchema = z.object({ logHead: headSchema });

/**
 * Heads from a file, a line of JSON each: `{"sequence", "chain"}`, or an entry of the gateway's log; other entries of
 * that log, and those of other agencies, are passed over.
 */
function readAnchors(file: string | undefined, agency?: string): AgencyLogHead[] {
  if (file === undefined) return [];
  const lines = readFileSync(file === '-' ? 0 : file, 'utf8').split('\n');
  const heads = lines.flatMap((line, i) =>
    line.trim() === '' ? [] : headsIn(line, agency, `${file}:${i + 1}`),
  );
  if (heads.length === 0)
    throw new HitError('malformed', `${file}: there is no head of ${agency ?? 'this'}'s log in it`);
  return heads.map(({ sequence, chain }) => ({ sequence, chain: decodeBase64(chain, 32) }));
}

function headsIn(line: string, agency: string | undefined, place: string): z.infer<typeof headSchema>[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new HitError('malformed', `${place}: this is not a line of JSON`, { cause });
  }
  const head = headSchema.safeParse(value);
  if (head.success) return [head.data];
  const commitment = commitmentSchema.safeParse(value);
  if (!commitment.success || (agency !== undefined && commitment.data.agency !== agency)) {
    if (typeof value === 'object' && value !== null && 'event' in value) return [];
    throw new HitError(
      'malformed',
      `${place}: neither {"sequence": ..., "chain": "..."} nor an entry of the gateway's log`,
    );
  }
  const body = bodySchema.safeParse(JSON.parse(commitment.data.body));
  return body.success ? [body.data.logHead] : [];
}
