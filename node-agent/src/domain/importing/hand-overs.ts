import type { ErrorCode, Random, Suite } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  HitError,
  decodeBase64,
  encodeBase64,
  parseJson,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { eachAtOnce } from '../../at-once.ts';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { Move, PseudonymMover } from '../../ports/pseudonym-mover.ts';
import type { ImportStage, PseudonymStore } from '../../ports/pseudonym-store.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { canaryTokens } from '../canary.ts';
import type { AgencyKeys } from '../keys.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { ownSettings } from '../membership/token-types.ts';
import type { HandOverBegin, HandOverPart, HandedContent, HandedOver } from './hand-over-form.ts';
import { HANDED_AT_ONCE, beginSchema, partSchema } from './hand-over-form.ts';
import { MAX_SHRINK, evaluatePseudonyms, refuseShrinking } from './import-clients.ts';

interface HandOverDeps {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly pseudonyms: PseudonymStore;
  readonly state: Pick<StateStore, 'handedOver' | 'setHandedOver'>;
  /** Collects and compares off the thread that answers. */
  readonly imports: Pick<PseudonymStore, 'beginImport'>;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** All of agent.yaml. */
  readonly registers: readonly ConfiguredRegister[];
  /** Puts the node's key onto what was handed over, off the thread that answers. */
  readonly startMover: () => PseudonymMover;
  /** Called when a register has changed: its tables are old. */
  readonly changed: () => void;
}

/** How a register is handed over; times in milliseconds since 1970. */
export interface HandOverState {
  /** When it was taken last; undefined before the first. */
  readonly last: number | undefined;
  /** The last one that came to nothing at this process, until one is taken. */
  readonly refused: { readonly at: number; readonly code: ErrorCode } | undefined;
}

/**
 * The serving agent's side of an import on a machine of the agency where the source lies. That machine blinds, and gets
 * its evaluations through this one, which alone has the agency's identity; it hands over E = k_g·H(y), and k_n is put
 * on here. So no person comes to this machine, and no key of the agency to that one.
 */
export class HandOvers {
  readonly #deps: HandOverDeps;
  /** Registers; each may take gigabytes of the disk until it is over. */
  readonly #underWay = new Set<string>();
  readonly #refused = new Map<string, { readonly at: number; readonly code: ErrorCode }>();

  constructor(deps: HandOverDeps) {
    this.#deps = deps;
  }

  /** For administrators: each register that takes hand-overs. */
  async states(): Promise<ReadonlyMap<string, HandOverState>> {
    const last = await this.#deps.state.handedOver();
    const own = this.#deps.registers.filter(({ source }) => source === undefined);
    return new Map(own.map(({ id }) => [id, { last: last.get(id), refused: this.#refused.get(id) }]));
  }

  /** What a hand-over begins with. Throws `not-found` and `not-allowed` for a register that takes none. */
  async content(id: string): Promise<HandedContent> {
    const register = this.#registerOf(id);
    const held = (await this.#deps.pseudonyms.imports()).find((state) => state.register === id);
    return {
      register: id,
      tokenTypes: this.#ownTypes(register),
      evaluationKey: this.#deps.roster.trustedEvaluationKey(),
      base: held?.importedAt ?? null,
      clients: held?.clients ?? 0,
      maxShrink: register.maxShrink ?? MAX_SHRINK,
    };
  }

  /** k_g times each of some blinded elements, with the gateway's proof. Throws what the gateway says. */
  async evaluate(
    id: string,
    elements: Uint8Array,
    evaluationKey: string,
  ): Promise<{ readonly evaluated: Uint8Array; readonly proof: Uint8Array }> {
    this.#registerOf(id);
    this.#refuseOtherKey(evaluationKey);
    const { gateway, roster } = this.#deps;
    if (elements.length === 0 || elements.length > HANDED_AT_ONCE * ELEMENT_BYTES)
      throw new HitError('field-invalid', `elements: 1 to ${HANDED_AT_ONCE} of ${ELEMENT_BYTES} bytes each`);
    return gateway.evaluate(id, elements, roster.namedEvaluationKey(evaluationKey));
  }

  /**
   * Takes in a hand-over, a line of JSON each. What is answered, and what is refused, depends on what was sent and on
   * numbers that {@link content} tells, never on who is in the register: a thief of the key must not find that out.
   * Nothing changes before its last line is there, and then only the content that it was made for. Throws `not-ready` when
   * that is another one by now, `key-changed` when keys are, `malformed` for one that was cut off, and `import-invalid` for
   * one that would leave too few clients, or brings more elements than it said it has clients.
   */
  async take(id: string, lines: AsyncIterable<string>): Promise<HandedOver> {
    const register = this.#registerOf(id);
    if (this.#underWay.has(id))
      throw new HitError(
        'not-ready',
        `another hand-over of ${id} is under way, so this one changed nothing: run it again when that is over`,
      );
    this.#underWay.add(id);
    try {
      const taken = await this.#take(register, lines);
      this.#refused.delete(id);
      return taken;
    } catch (error) {
      const code = error instanceof HitError ? error.code : 'internal';
      this.#refused.set(id, { at: this.#deps.clock(), code });
      this.#deps.log.warn({ event: 'hand-over-refused', register: id, code });
      throw error;
    } finally {
      this.#underWay.delete(id);
    }
  }

  async #take(register: ConfiguredRegister, lines: AsyncIterable<string>): Promise<HandedOver> {
    const { id } = register;
    const reader = lines[Symbol.asyncIterator]();
    const begin = parseJson(beginSchema, utf8ToBytes(await nextLine(reader)));
    this.#refuseOtherKey(begin.evaluationKey);
    const { imports, keys, pseudonyms, startMover } = this.#deps;
    // Of one moment: the key in use may be another one afterwards, which the store then sees.
    const nodeKey = keys.nodeKey.reveal();
    const madeWith = { evaluationKey: begin.evaluationKey, nodeKey: keys.nodeKeyMark };
    const move = {
      factor: nodeKey,
      isEvaluated: true,
      maskKeys: { from: keys.maskKey.reveal(), to: keys.maskKey.reveal() },
    };
    const held = (await pseudonyms.imports()).find((state) => state.register === id);
    if ((held?.importedAt ?? null) !== begin.base || (begin.difference && held === undefined))
      throw new HitError(
        'not-ready',
        'the register holds another content than this was made for, so nothing was changed: run it again',
      );
    const isOfKeys =
      held?.evaluationKey === madeWith.evaluationKey && ['', madeWith.nodeKey].includes(held.nodeKey);
    if (begin.difference && !isOfKeys)
      throw new HitError('key-changed', 'keys are being changed, so nothing was changed: run it again later');
    if (!begin.allowShrink) refuseShrinking(register, held?.clients, begin.clients);
    const stage = await imports.beginImport(id);
    const mover = startMover();
    try {
      await this.#addCanary(register, begin, stage);
      await gather(register, begin.clients, reader, stage, mover, move);
    } catch (error) {
      await stage.abandon();
      throw error;
    } finally {
      await mover.close();
    }
    // Another time than that of the content before, by which the two are told apart.
    const now = Math.max(this.#deps.clock(), (begin.base ?? -1) + 1);
    const change = await stage.commit(begin.clients, madeWith, now, { importedAt: begin.base ?? undefined });
    this.#deps.changed();
    // It stands: that its time was not noted, where the disk is full by now, is no reason to say that it does not.
    await this.#deps.state.setHandedOver(id, now).catch(() => undefined);
    const { added, removed } = change;
    this.#deps.log.info({ event: 'handed-over', register: id, added, removed });
    return { register: id, base: now };
  }

  /** The canary's tokens are this agent's own secret; a difference leaves those that are there. */
  async #addCanary(register: ConfiguredRegister, begin: HandOverBegin, stage: ImportStage): Promise<void> {
    const { keys, pseudonyms } = this.#deps;
    if (begin.difference) await stage.addHeld();
    const without: string[] = [];
    for (const type of this.#ownTypes(register))
      if (!begin.difference || (await pseudonyms.count(register.id, type)) === 0) without.push(type);
    if (without.length === 0) return;
    const tokens = [...canaryTokens(keys, without).values()];
    const made = await evaluatePseudonyms(this.#deps, register.id, tokens, begin.evaluationKey);
    for (const [i, type] of without.entries()) await stage.add(type, made.slice(i, i + 1));
  }

  #registerOf(id: string): ConfiguredRegister {
    const register = this.#deps.registers.find((one) => one.id === id);
    if (register === undefined)
      throw new HitError('not-found', `agent.yaml of the serving agent has no register ${id}`);
    if (register.source !== undefined)
      throw new HitError(
        'not-allowed',
        `${id} has a source of its own in agent.yaml of the serving agent: take that out, and hand over`,
        { rule: 'hand-over' },
      );
    return register;
  }

  /** Throws `config-invalid` for an identifier that this agency has no right to use. */
  #ownTypes({ tokenTypes }: ConfiguredRegister): string[] {
    const own = ownSettings(this.#deps.roster).tokenTypes;
    const forbidden = tokenTypes.filter((type) => !Object.hasOwn(own, type));
    if (forbidden.length > 0)
      throw new HitError(
        'config-invalid',
        `tokenTypes: this agency cannot use ${forbidden.join(', ')}; leave it out of agent.yaml`,
      );
    return tokenTypes;
  }

  #refuseOtherKey(evaluationKey: string): void {
    if (evaluationKey !== this.#deps.roster.trustedEvaluationKey())
      throw new HitError(
        'key-changed',
        "the gateway's evaluation key is another one by now, so nothing was changed: run it again",
      );
  }
}

const tooMany = (tokenType: string, clients: number): string =>
  `more than ${clients} elements of ${tokenType}, the number of clients that the hand-over began with, so nothing was changed`;

const CUT_OFF = 'the hand-over was cut off, so nothing was changed: run it again';

async function nextLine(reader: AsyncIterator<string>): Promise<string> {
  const next = await reader.next();
  if (next.done === true) throw new HitError('malformed', CUT_OFF);
  return next.value;
}

/**
 * Puts everything up to the last line into `stage`. What vanishes goes first: an end that changes is both. `clients` have an
 * element of each type at the most: without an end, lines would fill the disk that the agency's log needs.
 */
async function gather(
  { tokenTypes }: ConfiguredRegister,
  clients: number,
  reader: AsyncIterator<string>,
  stage: ImportStage,
  mover: PseudonymMover,
  move: Move,
): Promise<void> {
  let gathered = 0;
  const added = new Map<string, number>();
  let part: HandOverPart = { type: 'end', elements: 0 };
  const read = async (): Promise<void> => {
    part = parseJson(partSchema, utf8ToBytes(await nextLine(reader)));
  };
  async function* of(type: 'add' | 'remove') {
    while (part.type === type) {
      yield part;
      await read();
    }
  }
  const put = async (one: HandOverPart): Promise<void> => {
    if (one.type === 'end') return;
    const handed = decodeBase64(one.elements);
    const count = handed.length / ELEMENT_BYTES;
    if (!Number.isInteger(count) || (one.type === 'add' && one.until.length !== count))
      throw new HitError('field-invalid', `elements: ${ELEMENT_BYTES} bytes each, and as many in until`);
    if (one.type === 'add' && !tokenTypes.includes(one.tokenType))
      throw new HitError('field-invalid', 'tokenType: one of the register');
    if (one.type === 'add') {
      const ofType = (added.get(one.tokenType) ?? 0) + count;
      if (ofType > clients) throw new HitError('import-invalid', tooMany(one.tokenType, clients));
      added.set(one.tokenType, ofType);
    }
    const made = await mover.move(move, { elements: handed, maskedHashes: new Uint16Array(count) });
    const elements = Array.from({ length: count }, (_, i) =>
      made.elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
    );
    gathered += count;
    if (one.type === 'remove') return stage.remove(one.tokenType, elements);
    await stage.add(
      one.tokenType,
      elements.map((element, i) => ({
        element,
        maskedHash: made.maskedHashes[i] as number,
        until: one.until[i] ?? undefined,
      })),
    );
  };
  await read();
  await eachAtOnce(of('remove'), mover.atOnce, put);
  await eachAtOnce(of('add'), mover.atOnce, put);
  const last = part as HandOverPart;
  if (last.type !== 'end' || last.elements !== gathered) throw new HitError('malformed', CUT_OFF);
}

/** A line of a hand-over. */
export const partOf = (
  type: 'add' | 'remove',
  tokenType: string,
  some: readonly { readonly element: Uint8Array; readonly until: number | undefined }[],
): HandOverPart => {
  const elements = encodeBase64(Buffer.concat(some.map(({ element }) => element)));
  return type === 'remove'
    ? { type, tokenType, elements }
    : { type, tokenType, elements, until: some.map(({ until }) => until ?? null) };
};
