import { readFileSync, writeFileSync } from 'node:fs';
import { HitError, utf8ToBytes } from '@hitmachine/protocol';
import type { TrustedKeys } from '../domain/own-log/receipt-check.ts';
import { checkReceipt, trustedKeysOf } from '../domain/own-log/receipt-check.ts';
import { RosterKeeper } from '../domain/membership/roster-keeper.ts';
import { fileProblem } from '@hitmachine/service';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent } from '../open-agent.ts';
import { openLogStores } from '../open-log-watch.ts';
import type { ReceiptState } from '../ports/receipt-store.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';
import { warnings } from './warnings.ts';

const STATES: Readonly<Record<ReceiptState, string>> = {
  kept: 'as the gateway gave it when the lookup was opened; it is proved again within minutes',
  settled: 'proved again under a checkpoint that fits everything that this agent saw of the log',
  'given-up':
    'as the gateway gave it when the lookup was opened; it could not be proved again: see "hit-agent log alarms --all"',
};

/**
 * `hit-agent receipt LOOKUP_ID`: the proof that a lookup of this agency stands in the gateway's log. The first line is
 * the entry, the rest a C2SP tlog-proof.
 */
export async function receipt(
  path: string,
  lookupId: string,
  options: { readonly out?: string },
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { receiptStore } = openLogStores(agent.database, agent.backend, agent.keys);
    const kept = await receiptStore.find(lookupId);
    if (kept === undefined)
      throw new HitError(
        'not-found',
        `there is no receipt of a lookup ${lookupId}: "hit-agent log" shows the identifiers of the lookups that this agency asked`,
      );
    const text = `${new TextDecoder().decode(kept.leaf)}\n${kept.receipt}`;
    if (options.out === undefined) terminal.out(text.trimEnd());
    else writeFileSync(options.out, text, { mode: 0o600 });
    terminal.err(`${STATES[kept.state]}\n`);
  } finally {
    await agent.database.close();
  }
}

/** `hit-agent receipt verify FILE...`: checks receipts without asking anybody. Returns whether all are good. */
export async function verifyReceipts(
  path: string,
  files: readonly string[],
  terminal: Terminal,
): Promise<boolean> {
  const agent = await openAgent(path);
  try {
    const trusted = await trustedKeys(agent, terminal);
    const good = files.map((file) => {
      try {
        terminal.out(`${file}: ${verified(trusted, read(file))}`);
        return true;
      } catch (error) {
        if (!(error instanceof HitError)) throw error;
        terminal.out(`${file}: NOT VALID: ${error.detail} (${error.code})`);
        return false;
      }
    });
    return good.every(Boolean);
  } finally {
    await agent.database.close();
  }
}

/** The keys that this agent has pinned. */
async function trustedKeys(agent: OpenedAgent, terminal: Terminal): Promise<TrustedKeys> {
  const { backend, state } = agent;
  const { membership } = await agent.enrolled();
  const keeper = await RosterKeeper.open(backend, state, membership, warnings(terminal));
  return trustedKeysOf(backend, keeper, membership.gatewayKey);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HitError('not-found', fileProblem(cause) ?? 'the file cannot be read', { cause });
  }
}

function verified(trusted: TrustedKeys, text: string): string {
  const end = text.indexOf('\n');
  const leaf = utf8ToBytes(text.slice(0, Math.max(end, 0)));
  const { index, size, entry, signer, cosigners } = checkReceipt(trusted, leaf, text.slice(end + 1));
  const signed = signer === undefined ? '' : `, signed by ${signer}`;
  return `good: entry ${index} of ${size} (${entry.event}${signed}), ${new Date(entry.at).toISOString()}; signed by the gateway, cosigned by ${counted(cosigners.length, 'agency', 'agencies')}`;
}
