import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { Random, Suite } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  HitError,
  Secret,
  concatBytes,
  decodeBase64,
  uintToBytes,
} from '@hitmachine/protocol';
import { eachAtOnce } from '../../at-once.ts';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import type { EntryCache } from '../../ports/entry-cache.ts';
import type { KeptBatches } from '../../ports/kept-batches.ts';
import type { HandedOverChange, HandedOverContent, SealedElement } from '../../ports/handed-over-content.ts';
import type { PseudonymMaker } from '../../ports/pseudonym-maker.ts';
import type { StoredPseudonym } from '../../ports/pseudonym-store.ts';
import type { ServedContent, ServingAgent } from '../../ports/serving-agent.ts';
import { CachedEntries } from './cached-entries.ts';
import type { GatewayPatience } from './gateway-patience.ts';
import type { HandOverBegin, HandOverPart } from './hand-over-form.ts';
import { HANDED_AT_ONCE } from './hand-over-form.ts';
import { partOf } from './hand-overs.ts';
import { KeptWork } from './kept-work.ts';
import type { PreparedImport } from './import-clients.ts';
import type { TokenBatch } from './token-batches.ts';

interface HandingOver {
  readonly suite: Suite;
  readonly agent: ServingAgent;
  /** The key of this machine towards the agent. What is kept beside the source is sealed under it. */
  readonly key: Secret<string>;
  readonly cache: EntryCache;
  /** What an earlier run had evaluated that did not come to its end. */
  readonly kept: KeptBatches;
  readonly handedOver: HandedOverContent;
  readonly random: Random;
  readonly startMaker: (keys: MakerKeys) => PseudonymMaker;
  readonly patience: GatewayPatience;
  /** Aborted when it is to stop; what was evaluated by then is kept. */
  readonly stopped: AbortSignal;
}

const FINGERPRINT_BYTES = 16;
const NONCE_BYTES = 12;
/** The scalar 1: on this machine no k_n comes to E = k_g·H(y). */
const NO_NODE_KEY = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

/**
 * Hands a register over to the serving agent: blinds, has evaluated what is not in the cache, and sends the difference to
 * what was handed over last, where the agent still holds that, and everything otherwise. In an order of keyed
 * fingerprints: neither the order of the source nor which elements are of one person can be told from it. Gives what
 * changes, which only this machine counts; undefined where the agent holds what it did not hand over.
 */
export async function handOverClients(
  deps: HandingOver,
  register: string,
  prepared: PreparedImport,
  content: ServedContent,
  options: Pick<HandOverBegin, 'allowShrink'> & { readonly dryRun: boolean },
  progress: (done: number, total: number) => void,
): Promise<HandedOverChange | undefined> {
  const { agent, handedOver, patience, stopped, suite } = deps;
  const { evaluationKey, tokenTypes, base } = content;
  const nodeKey = { nodeKey: new Secret(createHash('sha256').update(deps.key.reveal()).digest()) };
  const cached = new CachedEntries(deps.cache, suite.backend, nodeKey, { register, evaluationKey });
  const keys = { suite, keys: nodeKey, random: deps.random };
  const kept = new KeptWork(deps.kept, keys, evaluationKey);
  const sealing = new SealedElements(suite, deps.key, register, tokenTypes);
  handedOver.begin(sealing.fit(evaluationKey));
  const total = tokenTypes.reduce((sum, type) => sum + prepared.tokens.countOf(type), 0);
  let done = 0;
  progress(0, total);
  const keep = async (tokenType: string, made: readonly StoredPseudonym[]): Promise<void> => {
    for (const { element, until } of made) handedOver.put(...sealing.seal(tokenType, element, until));
    progress((done += made.length), total);
  };
  const maker = deps.startMaker({
    gatewayKey: decodeBase64(evaluationKey, 32),
    nodeKey: NO_NODE_KEY,
    maskKey: new Uint8Array(32),
  });
  try {
    await eachAtOnce(
      cached.missing(prepared.tokens.batches(new Map()), keep),
      maker.atOnce,
      async (batch: TokenBatch): Promise<void> => {
        stopped.throwIfAborted();
        let page = kept.recall(batch);
        if (page === undefined) {
          page = await maker.make(
            batch.tokens.map(({ token }) => token),
            (blinded) => patience.run(() => agent.evaluate(register, blinded, evaluationKey)),
          );
          kept.keep(batch, page);
        }
        const { elements } = page;
        const made = batch.tokens.map(({ until }, i) => ({
          element: elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
          maskedHash: 0,
          until,
        }));
        cached.keep(batch.tokenType, batch.tokens, made);
        await keep(batch.tokenType, made);
      },
    );
  } finally {
    await maker.close();
  }
  stopped.throwIfAborted();
  const difference = base !== null && handedOver.base() === base && opens(handedOver.removed(), sealing);
  const change = difference ? handedOver.change() : undefined;
  // A trial leaves what it had evaluated in `kept`, for the hand-over that follows.
  if (options.dryRun) return change;
  cached.finish();
  const { allowShrink } = options;
  const begin = { evaluationKey, base, difference, clients: prepared.clients, allowShrink };
  const became = await untilTaken(deps, register, base, () => linesOf(begin, handedOver, sealing));
  handedOver.finish(became);
  deps.kept.clear();
  return change;
}

/** Whether what was kept is whole, as far as it is needed: otherwise everything is sent. */
function opens(kept: Iterable<SealedElement>, sealing: SealedElements): boolean {
  try {
    for (const { sealed } of kept) sealing.open(sealed);
    return true;
  } catch (error) {
    if (error instanceof HitError) return false;
    throw error;
  }
}

/**
 * Sends what is handed over, again where the agent went away meanwhile. Throws `not-ready` when the register holds
 * another content by then: the answer was lost, or another import was quicker.
 */
async function untilTaken(
  { agent, patience, stopped }: HandingOver,
  register: string,
  base: number | null,
  lines: () => Iterable<string>,
): Promise<number> {
  let isAgain = false;
  const result = await patience.run(async () => {
    if (isAgain && (await agent.content(register)).base !== base) return undefined;
    isAgain = true;
    return agent.handOver(register, lines(), stopped);
  });
  if (result !== undefined) return result;
  throw new HitError(
    'not-ready',
    `${register} holds another content by now: another import was quicker, or this one was taken and the answer got lost; run it again`,
  );
}

function* linesOf(
  begin: Omit<HandOverBegin, 'type'>,
  handedOver: HandedOverContent,
  sealing: SealedElements,
): Generator<string> {
  let elements = 0;
  yield JSON.stringify({ type: 'begin', ...begin } satisfies HandOverBegin);
  const parts = function* (type: 'add' | 'remove', from: Iterable<SealedElement>): Generator<string> {
    const open = new Map<string, { element: Uint8Array; until: number | undefined }[]>();
    const line = (tokenType: string): string => {
      const some = open.get(tokenType) ?? [];
      open.delete(tokenType);
      elements += some.length;
      return JSON.stringify(partOf(type, tokenType, some));
    };
    for (const one of from) {
      const { tokenType, element } = sealing.open(one.sealed);
      const some = open.get(tokenType) ?? [];
      open.set(tokenType, some);
      some.push({ element, until: one.until });
      if (some.length === HANDED_AT_ONCE) yield line(tokenType);
    }
    for (const tokenType of [...open.keys()]) yield line(tokenType);
  };
  if (begin.difference) yield* parts('remove', handedOver.removed());
  yield* parts('add', handedOver.added(!begin.difference));
  yield JSON.stringify({ type: 'end', elements } satisfies HandOverPart);
}

/**
 * Evaluated elements as they are kept beside the source. The nonce is the fingerprint of what is sealed: under one key
 * it always goes with the same element.
 */
class SealedElements {
  readonly #suite: Suite;
  readonly #types: readonly string[];
  readonly #derive: (label: string) => Uint8Array;
  readonly #fingerprintKey: Uint8Array;
  readonly #sealKey: Uint8Array;

  constructor(suite: Suite, key: Secret<string>, register: string, types: readonly string[]) {
    this.#suite = suite;
    this.#types = types;
    this.#derive = (label) =>
      new Uint8Array(
        hkdfSync('sha256', key.reveal(), '', `hitmachine-v1 handed-over ${label} ${register}`, 32),
      );
    this.#fingerprintKey = this.#derive('fingerprint');
    this.#sealKey = this.#derive('seal');
  }

  /** Of everything that what is kept depends on. */
  fit(evaluationKey: string): Uint8Array {
    return createHmac('sha256', this.#derive('fit'))
      .update(`${evaluationKey} ${this.#types.join(' ')}`)
      .digest();
  }

  seal(tokenType: string, element: Uint8Array, until: number | undefined): [Uint8Array, SealedElement] {
    const plain = concatBytes(uintToBytes(this.#types.indexOf(tokenType), 1), element);
    const fingerprint = createHmac('sha256', this.#fingerprintKey)
      .update(plain)
      .digest()
      .subarray(0, FINGERPRINT_BYTES);
    const nonce = fingerprint.subarray(0, NONCE_BYTES);
    const { aead } = this.#suite.backend;
    const sealed = concatBytes(nonce, aead.seal(this.#sealKey, nonce, new Uint8Array(), plain));
    return [fingerprint, { sealed, until }];
  }

  open(sealed: Uint8Array): { readonly tokenType: string; readonly element: Uint8Array } {
    const [nonce, rest] = [sealed.slice(0, NONCE_BYTES), sealed.slice(NONCE_BYTES)];
    const plain = this.#suite.backend.aead.open(this.#sealKey, nonce, new Uint8Array(), rest);
    const tokenType = this.#types[plain[0] as number];
    if (tokenType === undefined) throw new HitError('internal');
    return { tokenType, element: plain.slice(1) };
  }
}
