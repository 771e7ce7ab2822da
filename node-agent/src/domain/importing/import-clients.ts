import { hash } from 'node:crypto';
import type { PersonTokens, Random, Suite } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  HitError,
  blindBatch,
  concatBytes,
  decodeBase64,
  finishBatch,
  maskBucketHash,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { eachAtOnce } from '../../at-once.ts';
import type { ConfiguredRegister, ImportedRegister } from '../../config.ts';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import type { ClientRows } from '../../ports/client-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EntryCache } from '../../ports/entry-cache.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { KeptBatches } from '../../ports/kept-batches.ts';
import type { PseudonymMaker } from '../../ports/pseudonym-maker.ts';
import type {
  ExpectedContent,
  ImportChange,
  PseudonymPage,
  PseudonymStore,
  StoredPseudonym,
} from '../../ports/pseudonym-store.ts';
import type { TokenSpool } from '../../ports/token-spool.ts';
import { canaryTokens } from '../canary.ts';
import { CachedEntries } from './cached-entries.ts';
import { DigestSet } from './digest-set.ts';
import type { GatewayPatience } from './gateway-patience.ts';
import { KeptWork } from './kept-work.ts';
import type { AgencyKeys } from '../keys.ts';
import { makeHere } from './make-here.ts';
import { personTokens } from '../person-tokens.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import type { TokenBatch } from './token-batches.ts';
import { TokenBatches, spoolInMemory } from './token-batches.ts';
import { ownSettings } from '../membership/token-types.ts';

/** Why a row cannot be imported. Never repeats what stands in the row. */
export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

/** The tokens of a whole file, ready to be blinded. */
export interface PreparedImport {
  /** Different ones: rows that say the same of a person count once. */
  readonly clients: number;
  /** Rows that say what another has said. */
  readonly repeated: number;
  /** The first of them; a wrong file may have a million. */
  readonly bad: readonly BadRow[];
  readonly badRows: number;
  /** The first bad row of somebody who may be protected: another row of that person would match if this one were left out. */
  readonly badProtected?: number | undefined;
  readonly tokens: TokenBatches;
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
  /** Makes large registers on other threads; without it everything is made on this one. */
  readonly startMaker?: ((keys: MakerKeys) => PseudonymMaker) | undefined;
  /** What an earlier import of this register left, if that is kept. */
  readonly kept?: KeptBatches | undefined;
  /** What earlier imports have made, beside the source. */
  readonly cache?: EntryCache | undefined;
  /** Waits for a gateway that is away for a while; without it the import ends then. */
  readonly patience?: GatewayPatience | undefined;
  /** What the register held before its source was read; where it holds another content by then, nothing is changed. */
  readonly over?: ExpectedContent | undefined;
  /** Aborted when the import is to stop; what is done by then is kept. */
  readonly stopped?: AbortSignal | undefined;
}

/** Tokens for which it pays to start threads. */
const WORTH_THREADS = 1_024;
/** Bad rows that are told one by one. */
const MAX_TOLD = 10_000;

/**
 * Turns rows into tokens and collects what is wrong with the others. Reads the source once, to its end, before anything
 * is done with it: the tokens wait in `spool`. `now` in milliseconds since 1970.
 */
export async function prepareImport(
  register: ImportedRegister,
  rows: ClientRows,
  now: number,
  spool: TokenSpool = spoolInMemory(),
): Promise<PreparedImport> {
  const tokens = new TokenBatches(register.tokenTypes, spool);
  const bad: BadRow[] = [];
  const seen = new DigestSet();
  let [repeated, badRows] = [0, 0];
  let badProtected: number | undefined;
  const isBad = (line: number, reason: string): void => {
    badRows++;
    if (bad.length < MAX_TOLD) bad.push({ line, reason });
  };
  for await (const row of rows) {
    if ('problem' in row) {
      isBad(row.line, row.problem);
      if (row.mayBeProtected === true) badProtected ??= row.line;
      continue;
    }
    try {
      const own = personTokens(row.client, register.tokenTypes, now);
      if (!seen.add(digestOf(own, row.until))) {
        repeated++;
        continue;
      }
      for (const [type, token] of own) tokens.add(type, { token, until: row.until });
    } catch (error) {
      if (!(error instanceof HitError) || error.code === 'storage-failed') throw error;
      isBad(row.line, inColumns(error.detail));
    }
  }
  return { clients: seen.size, repeated, bad, badRows, badProtected, tokens };
}

/** Members of a person, as errors name them, and the columns of a source that they come from. */
const COLUMNS: Readonly<Record<string, string>> = {
  'name.prefix': 'prefix',
  'name.surname': 'surname',
  'name.givenNames': 'givenNames',
  'address.postcode': 'postcode',
  'address.number': 'houseNumber',
  'address.letter': 'houseLetter',
  'address.addition': 'houseNumberAddition',
};

/** What is wrong with a person, by the columns that agent.yaml and the help of the import name. */
const inColumns = (detail: string): string =>
  detail.replace(/^(name|address)\.\w+(?=:)/, (member) => COLUMNS[member] ?? member);

/** Stands for a client while a file is read: shorter than the tokens, of which a large register has many. */
function digestOf(tokens: PersonTokens, until: number | undefined): Uint8Array {
  const parts = [...tokens].flatMap(([type, token]) => [utf8ToBytes(`${type} ${token.length} `), token]);
  // In one call: an object for each would lie about outside of the heap, half a kilobyte each, until it is collected.
  return hash('sha256', concatBytes(utf8ToBytes(`${until ?? ''} `), ...parts), 'buffer');
}

/** Percent of its clients that a register may lose by an import, unless agent.yaml says otherwise. */
export const MAX_SHRINK = 20;

/**
 * Refuses an import that would leave a register empty, or without more than `maxShrink` percent of its clients: that is
 * a wrong or half-written source more often than it is true, and everybody who is gone would be answered "not known".
 * Counts clients rather than comparing them, because new keys of the gateway change every pseudonym. Throws
 * `import-invalid`.
 */
export function refuseShrinking(
  { id, maxShrink = MAX_SHRINK }: Pick<ConfiguredRegister, 'id' | 'maxShrink'>,
  held: number | undefined,
  clients: number,
): void {
  const cure = 'nothing was changed. If that is right, import it with --allow-shrink.';
  if (clients === 0 && held !== 0) {
    const effect = held === undefined ? `${id} would know nobody` : `${id} holds ${held}`;
    throw new HitError('import-invalid', `the source has no clients and ${effect}; ${cure}`);
  }
  if (held !== undefined && clients < held * (1 - maxShrink / 100))
    throw new HitError(
      'import-invalid',
      `${id} holds ${held} clients and the source has ${clients}, so more than ${maxShrink} % would be gone (maxShrink in agent.yaml); ${cure}`,
    );
}

/**
 * Imports a register: every token becomes a pseudonym with the gateway's help, and all of them together take the
 * place of what the register held. Until the last step nothing changes; whatever fails leaves the register as it was,
 * and so does `dryRun`, which tells what would change. Rejects with `not-ready` when another import was quicker.
 * Throws `config-invalid` for a register by an identifier that this agency has no right to use.
 */
export async function importClients(
  deps: Importing,
  register: ConfiguredRegister,
  prepared: PreparedImport,
  progress: (done: number, total: number) => void,
  dryRun = false,
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
  const madeWith = { evaluationKey, nodeKey: deps.keys.nodeKeyMark };
  const named = deps.roster.namedEvaluationKey(evaluationKey);
  const canary = canaryTokens(deps.keys, register.tokenTypes);
  const { tokens, clients, repeated, badRows } = prepared;
  const total = register.tokenTypes.reduce((sum, type) => sum + tokens.countOf(type) + 1, 0);
  const kept = deps.kept === undefined ? undefined : new KeptWork(deps.kept, deps, evaluationKey);
  const scope = { register: register.id, evaluationKey };
  const cached =
    deps.cache === undefined
      ? undefined
      : new CachedEntries(deps.cache, deps.suite.backend, deps.keys, scope);
  const maker = makerFor(deps, total, evaluationKey);
  const stage = await deps.pseudonyms.beginImport(register.id);
  let done = 0;
  progress(0, total);
  const stageAll = async (tokenType: string, pseudonyms: readonly StoredPseudonym[]): Promise<void> => {
    await stage.add(tokenType, pseudonyms);
    progress((done += pseudonyms.length), total);
  };
  const evaluate = (elements: Uint8Array): ReturnType<GatewayClient['evaluate']> => {
    const once = (): ReturnType<GatewayClient['evaluate']> =>
      deps.gateway.evaluate(register.id, elements, named);
    return deps.patience === undefined ? once() : deps.patience.run(once);
  };
  const importBatch = async (batch: TokenBatch): Promise<void> => {
    deps.stopped?.throwIfAborted();
    let page = kept?.recall(batch);
    if (page === undefined) {
      const encoded = batch.tokens.map(({ token }) => token);
      page = await maker.make(encoded, evaluate);
      kept?.keep(batch, page);
      deps.stopped?.throwIfAborted();
    }
    const made = unpackPseudonyms(page, (i) => batch.tokens[i]?.until);
    cached?.keep(batch.tokenType, batch.tokens, made);
    await stageAll(batch.tokenType, made);
  };
  try {
    const batches = tokens.batches(canary);
    await eachAtOnce(cached?.missing(batches, stageAll) ?? batches, maker.atOnce, importBatch);
    deps.stopped?.throwIfAborted();
  } catch (error) {
    await stage.abandon();
    throw error;
  } finally {
    await maker.close();
  }
  const result = { register: register.id, clients, repeated, skipped: badRows };
  if (dryRun) {
    const change = await stage.preview();
    // What a trial has made is kept: it spares the import that follows.
    await stage.abandon();
    return { ...result, ...change };
  }
  // First, so that what fails here changes nothing; its entries are good whatever becomes of the register.
  cached?.finish();
  const change = await stage.commit(clients, madeWith, deps.clock(), deps.over);
  deps.kept?.clear();
  return { ...result, ...change };
}

function makerFor(deps: Importing, tokens: number, evaluationKey: string): PseudonymMaker {
  const keys = {
    gatewayKey: decodeBase64(evaluationKey, 32),
    nodeKey: deps.keys.nodeKey.reveal(),
    maskKey: deps.keys.maskKey.reveal(),
  };
  return deps.startMaker === undefined || tokens < WORTH_THREADS
    ? makeHere(deps.suite, keys, deps.random)
    : deps.startMaker(keys);
}

/** One by one, as they are stored; `untilOf` gives the last day of each. */
function unpackPseudonyms(
  { elements, maskedHashes }: PseudonymPage,
  untilOf: (i: number) => number | undefined,
): StoredPseudonym[] {
  return Array.from(maskedHashes, (maskedHash, i) => ({
    element: elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
    maskedHash,
    until: untilOf(i),
  }));
}

/** The pseudonyms of tokens, in their order, made with the gateway's help. Throws `proof-invalid`. */
export async function evaluatePseudonyms(
  deps: Pick<Importing, 'suite' | 'keys' | 'random' | 'gateway' | 'roster'>,
  register: string,
  tokens: readonly Uint8Array[],
  evaluationKey: string,
): Promise<StoredPseudonym[]> {
  const { suite, random } = deps;
  // Before anything is waited for: the key in use may be another one afterwards.
  const [nodeKey, maskKey] = [deps.keys.nodeKey.reveal(), deps.keys.maskKey.reveal()];
  const gatewayKey = decodeBase64(evaluationKey, 32);
  const batch = blindBatch(suite, tokens, random);
  const { evaluated, proof } = await deps.gateway.evaluate(
    register,
    batch.elements,
    deps.roster.namedEvaluationKey(evaluationKey),
  );
  return finishBatch(suite, gatewayKey, nodeKey, batch, evaluated, proof).map(({ bucketHash, element }) => ({
    element,
    maskedHash: maskBucketHash(maskKey, element, bucketHash),
  }));
}
