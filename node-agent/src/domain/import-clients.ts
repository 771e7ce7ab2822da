import { createHash } from 'node:crypto';
import type { PersonTokens, Random, Suite } from '@hitmachine/protocol';
import {
  HitError,
  LIMITS,
  blindBatch,
  decodeBase64,
  finishBatch,
  maskBucketHash,
} from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { ClientRows } from '../ports/client-source.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayClient } from '../ports/gateway-client.ts';
import type { ImportChange, PseudonymStore, StoredPseudonym } from '../ports/pseudonym-store.ts';
import { canaryTokens } from './canary.ts';
import type { AgencyKeys } from './keys.ts';
import { personTokens } from './person-tokens.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { ownSettings } from './token-types.ts';

/** Why a row cannot be imported. Never repeats what stands in the row. */
export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

/** An encoded token, and the last day on which its client is known (days since 1970), if there is one. */
export interface PreparedToken {
  readonly token: Uint8Array;
  readonly until?: number | undefined;
}

/** The tokens of a whole file, ready to be blinded. */
export interface PreparedImport {
  /** Different ones: rows that say the same of a person count once. */
  readonly clients: number;
  /** Rows that say what another has said. */
  readonly repeated: number;
  readonly bad: readonly BadRow[];
  /** By token type. */
  readonly tokens: ReadonlyMap<string, readonly PreparedToken[]>;
}

export interface ImportResult extends ImportChange {
  readonly register: string;
  readonly clients: number;
  readonly repeated: number;
  readonly skipped: number;
}

interface Importing {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly pseudonyms: PseudonymStore;
  readonly random: Random;
  readonly clock: Clock;
}

/** Tokens in one request: one request's work is then about as long as its way there and back. */
const BATCH = Math.min(256, LIMITS.importBatch);
/** Requests under way at once, so that the gateway computes while this side does. */
const REQUESTS_AT_ONCE = 2;

/** Turns rows into tokens and collects what is wrong with the others. `now` in milliseconds since 1970. */
export async function prepareImport(
  register: ConfiguredRegister,
  rows: ClientRows,
  now: number,
): Promise<PreparedImport> {
  const tokens = new Map<string, PreparedToken[]>(register.tokenTypes.map((type) => [type, []]));
  const bad: BadRow[] = [];
  const seen = new Set<string>();
  let repeated = 0;
  for await (const row of rows) {
    if ('problem' in row) {
      bad.push({ line: row.line, reason: row.problem });
      continue;
    }
    try {
      const own = personTokens(row.client, register.tokenTypes, now);
      const client = `${digestOf(own)} ${row.until ?? ''}`;
      if (seen.has(client)) {
        repeated++;
        continue;
      }
      seen.add(client);
      for (const [type, token] of own) tokens.get(type)?.push({ token, until: row.until });
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      bad.push({ line: row.line, reason: error.detail });
    }
  }
  return { clients: seen.size, repeated, bad, tokens };
}

/** Stands for a client while a file is read: shorter than the tokens, of which a large register has many. */
function digestOf(tokens: PersonTokens): string {
  const hash = createHash('sha256');
  for (const [type, token] of tokens) hash.update(`${type} ${token.length} `).update(token);
  return hash.digest('base64');
}

/**
 * Refuses an import that would leave a register empty, or with less than half of its clients: that is a wrong or
 * half-written file more often than it is true, and everybody who is gone would be answered "not known". Counts
 * clients rather than comparing them, because new keys of the gateway change every pseudonym. Throws `import-invalid`.
 */
export function refuseShrinking(register: string, held: number | undefined, clients: number): void {
  const cure = 'nothing was changed. If the file is right, import it with --allow-shrink.';
  if (clients === 0 && held !== 0) {
    const effect = held === undefined ? `${register} would know nobody` : `${register} holds ${held}`;
    throw new HitError('import-invalid', `the file has no clients and ${effect}; ${cure}`);
  }
  if (held !== undefined && clients * 2 < held)
    throw new HitError(
      'import-invalid',
      `${register} holds ${held} clients and the file has ${clients}, so more than half would be gone; ${cure}`,
    );
}

/**
 * Imports a register: every token becomes a pseudonym with the gateway's help, and all of them together take the
 * place of what the register held. Until the last step nothing changes; whatever fails leaves the register as it was.
 * Throws `config-invalid` for a register by an identifier that this agency has no right to use.
 */
export async function importClients(
  deps: Importing,
  register: ConfiguredRegister,
  prepared: PreparedImport,
  progress: (done: number, total: number) => void,
): Promise<ImportResult> {
  const allowed = ownSettings(deps.roster).tokenTypes;
  const { tokenTypes } = deps.roster.roster.policy.settings;
  const forbidden = register.tokenTypes.filter(
    (type) => Object.hasOwn(tokenTypes, type) && !Object.hasOwn(allowed, type),
  );
  if (forbidden.length > 0)
    throw new HitError(
      'config-invalid',
      `tokenTypes: this agency has no right to use ${forbidden.join(', ')}; leave it out of agent.yaml and of the file`,
    );
  const evaluationKey = deps.roster.trustedEvaluationKey();
  const canary = canaryTokens(deps.keys, register.tokenTypes);
  const batches = [...prepared.tokens].flatMap(([tokenType, tokens]) => {
    const all: PreparedToken[] = [...tokens, { token: canary.get(tokenType) as Uint8Array }];
    return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) => ({
      tokenType,
      tokens: all.slice(i * BATCH, (i + 1) * BATCH),
    }));
  });
  const total = batches.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const stage = deps.pseudonyms.beginImport(register.id);
  let done = 0;
  progress(0, total);
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const tokens = batch.tokens.map(({ token }) => token);
      const pseudonyms = await evaluatePseudonyms(deps, register.id, tokens, evaluationKey);
      stage.add(
        batch.tokenType,
        pseudonyms.map((pseudonym, i) => ({ ...pseudonym, until: batch.tokens[i]?.until })),
      );
      progress((done += batch.tokens.length), total);
    }
  };
  const stopping = (error: unknown): never => {
    batches.length = 0;
    throw error;
  };
  // Both are waited for, so that none adds to what has been abandoned.
  const ends = await Promise.allSettled(
    Array.from({ length: REQUESTS_AT_ONCE }, () => work().catch(stopping)),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) {
    stage.abandon();
    throw failed.reason;
  }
  const change = stage.commit(prepared.clients, evaluationKey, deps.clock());
  const { clients, repeated, bad } = prepared;
  return { register: register.id, clients, repeated, skipped: bad.length, ...change };
}

/** The pseudonyms of tokens, in their order, made with the gateway's help. Throws `proof-invalid`. */
export async function evaluatePseudonyms(
  deps: Pick<Importing, 'suite' | 'keys' | 'random' | 'gateway'>,
  register: string,
  tokens: readonly Uint8Array[],
  evaluationKey: string,
): Promise<StoredPseudonym[]> {
  const { suite, keys, random } = deps;
  const gatewayKey = decodeBase64(evaluationKey, 32);
  const batch = blindBatch(suite, tokens, random);
  const { evaluated, proof } = await deps.gateway.evaluate(register, batch.elements);
  const maskKey = keys.maskKey.reveal();
  return finishBatch(suite, gatewayKey, keys.nodeKey.reveal(), batch, evaluated, proof).map(
    ({ bucketHash, element }) => ({ element, maskedHash: maskBucketHash(maskKey, element, bucketHash) }),
  );
}
