import { createHmac, hkdfSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { PersonDescription, Random, Suite } from '@hitmachine/protocol';
import { ELEMENT_BYTES, HitError, bytesToHex, concatBytes, uintToBytes } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { ImportState, MadeWith, PseudonymStore, StoredPseudonym } from '../../ports/pseudonym-store.ts';
import type { Move, PseudonymMover } from '../../ports/pseudonym-mover.ts';
import type { PushedClient, PushedClients } from '../../ports/pushed-clients.ts';
import { canaryTokens } from '../canary.ts';
import { dayNumber } from '../days.ts';
import { evaluatePseudonyms, refuseShrinking } from './import-clients.ts';
import type { AgencyKeys } from '../keys.ts';
import { LaterStands } from './later-stands.ts';
import type { OpenedClient } from '../rotation/move-pushed.ts';
import { movePushed } from '../rotation/move-pushed.ts';
import { personTokens } from '../person-tokens.ts';
import { referenceComplaint } from './references.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** A client as a system of the agency pushes one. */
export interface PushedInput {
  readonly person: PersonDescription;
  /** The last day on which the client is known, in days since 1970. */
  readonly until?: number | undefined;
  readonly isProtected?: boolean | undefined;
}

interface PushDeps {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly pseudonyms: PseudonymStore;
  readonly pushed: PushedClients;
  /** Starts what makes clients anew when the node key has changed. */
  readonly startMover: () => PseudonymMover;
  readonly moveFor: (from: MadeWith, to: MadeWith) => Promise<Move>;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** Whether this replica brings what was pushed into the registers now; an agent alone always does. */
  readonly leads?: (() => boolean) | undefined;
  /** Whether other replicas take pushes too. */
  readonly isShared?: boolean | undefined;
  /** Called when a register has changed: its tables are old. */
  readonly changed: () => void;
  /** Registers whose source is `push`. */
  readonly registers: readonly ConfiguredRegister[];
  /** References of protected clients, of a register's own list. */
  readonly listOf: (register: ConfiguredRegister) => ReadonlySet<string>;
}

const NONCE_BYTES = 12;
/** A pseudonym as it is sealed: whether there is one, the element, and the masked hash. */
const SLOT_BYTES = 1 + ELEMENT_BYTES + 2;
/** Clients that are unsealed at once. */
const GROUP = 500;
const RETRY_MS = 60_000;
/** How often it is looked at what came to other replicas. */
const LOOK_MS = 2_000;
/** Clients that may go at once without more ado, since each was taken out by name: small registers lose a fifth soon. */
const FEW = 10;

/**
 * Registers that systems of the agency keep up by pushing clients, one by one. A client is stored durably before the
 * answer, and comes into the register with the next batch: the first push starts a pause, and whatever comes in it is
 * one change, and one set of tables. Which pseudonyms belong to which reference is sealed under a key of the key store,
 * every client in the same number of bytes, so that a stolen database tells neither who is protected nor which
 * pseudonyms are of one person.
 */
export class PushedRegisters {
  readonly #deps: PushDeps;
  readonly #fingerprintKey: Uint8Array;
  readonly #sealKey: Uint8Array;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #changes = new LaterStands();
  readonly #problems = new Map<string, string>();
  #applying: Promise<void> = Promise.resolve();
  /** Of each register what was brought into it, or tried to. */
  readonly #seen = new Map<string, number>();
  #looking: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: PushDeps) {
    this.#deps = deps;
    const derive = (label: string): Uint8Array =>
      new Uint8Array(
        hkdfSync('sha256', deps.keys.pseudonymKey.reveal(), '', `hitmachine-v1 pushed-clients ${label}`, 32),
      );
    this.#fingerprintKey = derive('fingerprint');
    this.#sealKey = derive('seal');
  }

  /** Takes up what was pushed before a restart and not applied, and tells when a register is not of these clients. */
  async start(): Promise<void> {
    const { pushed, keys, registers, isShared } = this.#deps;
    if (registers.length === 0) return;
    for (const { id } of registers) this.#schedule(id, 0);
    if (isShared === true) this.#looking = setInterval(() => void this.#look(), LOOK_MS);
    await pushed.adopt(keys.nodeKeyMark);
  }

  /** Takes up what was pushed to another replica. A store that is away is told where it is needed. */
  async #look(): Promise<void> {
    if (this.#deps.leads?.() === false) return;
    for (const { id } of this.#deps.registers) {
      const version = await this.#deps.pushed.version(id).catch(() => undefined);
      if (version !== undefined && version !== this.#seen.get(id)) this.#schedule(id);
    }
  }

  /** The keys in use are others, or this replica leads from now on: looks at every register, and waits for no other try. */
  lookAtAll(): void {
    for (const { id } of this.#deps.registers) {
      clearTimeout(this.#timers.get(id));
      this.#timers.delete(id);
      this.#schedule(id);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#looking);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#applying;
  }

  /** What keeps pushed clients from being known, in words. */
  get problems(): string[] {
    return [...this.#problems].map(([register, reason]) => `register ${register}: pushed clients: ${reason}`);
  }

  /**
   * Puts a client in the place of what was pushed under the reference. Durable when it resolves; what came later and is
   * stored already stands, and is not undone by this one. Throws `not-found` for
   * a register that is not pushed to, `field-invalid` and the like with the fields, and `gateway-unreachable`.
   */
  async put(registerId: string, reference: string, input: PushedInput): Promise<void> {
    const { roster, clock } = this.#deps;
    const register = this.#registerOf(registerId, reference);
    const tokens = personTokens(input.person, register.tokenTypes, clock());
    const evaluationKey = roster.trustedEvaluationKey();
    const isProtected = input.isProtected === true || this.#deps.listOf(register).has(reference);
    const fingerprint = this.#fingerprint(registerId, reference);
    const turn = await this.#deps.pushed.begin();
    const make = async (): Promise<Pick<PushedClient, 'nodeKey'> & { made: StoredPseudonym[] }> => {
      const { nodeKeyMark: nodeKey } = this.#deps.keys;
      if (isProtected) return { made: [], nodeKey };
      const encoded = [...tokens.values()];
      return { made: await evaluatePseudonyms(this.#deps, registerId, encoded, evaluationKey), nodeKey };
    };
    await this.#changes.run(bytesToHex(fingerprint), make, ({ made, nodeKey }) => {
      const pseudonyms = new Map(made.map((pseudonym, i) => [[...tokens.keys()][i], pseudonym]));
      const sealed = this.#seal(register, fingerprint, input.until, pseudonyms);
      return this.#deps.pushed.put(registerId, { fingerprint, sealed, evaluationKey, nodeKey }, turn);
    });
    this.#schedule(registerId);
  }

  /** Takes a client out; one who is not there is out already. Durable when it resolves. Throws `not-found` as `put` does. */
  async remove(registerId: string, reference: string): Promise<void> {
    this.#registerOf(registerId, reference);
    const fingerprint = this.#fingerprint(registerId, reference);
    const { pushed } = this.#deps;
    const turn = await pushed.begin();
    await this.#changes.now(bytesToHex(fingerprint), () => pushed.remove(registerId, fingerprint, turn));
    this.#schedule(registerId);
  }

  /** In as many bytes whoever it is. */
  #seal(
    register: ConfiguredRegister,
    fingerprint: Uint8Array,
    until: number | undefined,
    pseudonyms: ReadonlyMap<string | undefined, StoredPseudonym>,
  ): Uint8Array {
    const { suite, random } = this.#deps;
    const slots = register.tokenTypes.map((type) => {
      const pseudonym = pseudonyms.get(type);
      return pseudonym === undefined
        ? new Uint8Array(SLOT_BYTES)
        : concatBytes(Uint8Array.of(1), pseudonym.element, uintToBytes(pseudonym.maskedHash, 2));
    });
    const plain = concatBytes(uintToBytes(until === undefined ? 0 : until + 1, 4), ...slots);
    const nonce = random(NONCE_BYTES);
    const bound = concatBytes(fingerprint, new TextEncoder().encode(register.tokenTypes.join(' ')));
    return suite.backend.aead.seal(this.#sealKey, nonce, bound, plain, nonce);
  }

  #registerOf(id: string, reference: string): ConfiguredRegister {
    const register = this.#deps.registers.find((one) => one.id === id);
    if (register === undefined)
      throw new HitError(
        'not-found',
        'no register of this name is pushed to; give it "source: { push: {} }" in agent.yaml',
      );
    const complaint = referenceComplaint(reference);
    if (complaint !== undefined)
      throw new HitError('field-invalid', `reference: ${complaint}`, {
        fields: [{ field: 'reference', detail: complaint }],
      });
    return register;
  }

  #fingerprint(register: string, reference: string): Uint8Array {
    return createHmac('sha256', this.#fingerprintKey).update(`${register}\n${reference}`).digest();
  }

  #schedule(id: string, pauseMs = this.#pauseOf(id)): void {
    if (this.#stopped || this.#timers.has(id)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#applying = this.#applying.then(() => this.#applyAndTell(id));
    }, pauseMs);
    this.#timers.set(id, timer);
  }

  #pauseOf(id: string): number {
    const push = this.#deps.registers.find((one) => one.id === id)?.source?.push;
    return (push?.pauseSeconds ?? 0) * 1_000;
  }

  async #applyAndTell(id: string): Promise<void> {
    if (this.#stopped) return;
    // Another replica does it, and tells of it. Whether it did is looked at when this one leads again.
    if (this.#deps.leads?.() === false) {
      this.#seen.delete(id);
      this.#problems.delete(id);
      return;
    }
    try {
      await this.#apply(id);
      this.#problems.delete(id);
    } catch (error) {
      this.#seen.delete(id);
      const code = error instanceof HitError ? error.code : 'internal';
      const reason = error instanceof HitError ? error.detail : 'a fault of the program';
      if (this.#problems.get(id) !== reason)
        this.#deps.log.error({ event: 'pushes-not-applied', register: id, code, reason });
      this.#problems.set(id, reason);
      this.#schedule(id, RETRY_MS);
    }
  }

  /** Makes what was pushed the whole content of the register, in one step, if it was made of what was pushed before. */
  async #apply(id: string): Promise<void> {
    const { pseudonyms, pushed, startMover, moveFor, clock, log, keys, roster } = this.#deps;
    const register = this.#deps.registers.find((one) => one.id === id) as ConfiguredRegister;
    const before = (await pseudonyms.imports()).find((state) => state.register === id);
    const version = await pushed.version(id);
    this.#seen.set(id, version);
    if (before === undefined && version === 0) return;
    const isAgreed = await this.#isAgreed(id, before);
    const evaluationKey = roster.trustedEvaluationKey();
    const madeWith = { evaluationKey, nodeKey: keys.nodeKeyMark };
    await movePushed(
      {
        ...{ pushed, startMover, moveFor },
        open: (client) => this.#open(register, client),
        seal: ({ fingerprint }, { until, pseudonyms: own }) => this.#seal(register, fingerprint, until, own),
      },
      id,
      madeWith,
    );
    const canary = canaryTokens(keys, register.tokenTypes);
    const canaries = await evaluatePseudonyms(this.#deps, id, [...canary.values()], evaluationKey);
    const today = dayNumber(clock());
    // Also of those who were put on the list after they were pushed.
    const listed = new Set(
      [...this.#deps.listOf(register)].map((reference) => bytesToHex(this.#fingerprint(id, reference))),
    );
    const stage = await pseudonyms.beginImport(id);
    try {
      for (const [i, type] of [...canary.keys()].entries())
        await stage.add(type, [canaries[i] as StoredPseudonym]);
      let clients = 0;
      for await (const group of groupsOf(pushed.all(id))) {
        const byType = new Map<string, StoredPseudonym[]>();
        for (const client of group) {
          // The key has changed on the way: the next round makes it anew.
          if (client.nodeKey !== madeWith.nodeKey || client.evaluationKey !== evaluationKey)
            throw new HitError('key-changed', 'keys have changed meanwhile');
          if (listed.has(bytesToHex(client.fingerprint))) continue;
          const opened = this.#open(register, client);
          if (opened.pseudonyms.size === 0 || (opened.until ?? today) < today) continue;
          clients++;
          for (const [type, pseudonym] of opened.pseudonyms)
            byType.set(type, [...(byType.get(type) ?? []), pseudonym]);
        }
        for (const [type, some] of byType) await stage.add(type, some);
        await setImmediate();
      }
      if (!isAgreed && (before?.clients ?? 0) - clients > FEW)
        refuseShrinking(register, before?.clients, clients);
      // Told by its time, a content must not look like the one before.
      const made = Math.max(clock(), (before?.importedAt ?? 0) + 1);
      await pushed.replacing(id, before?.importedAt, made);
      const change = await stage.commit(clients, madeWith, made, { importedAt: before?.importedAt });
      this.#deps.changed();
      log.info({ event: 'pushes-applied', register: id, added: change.added, removed: change.removed });
    } catch (error) {
      await stage.abandon();
      throw error;
    }
  }

  /**
   * Whether the operator said that this content may be replaced. Throws `not-ready` when nobody did and it was not made
   * of what is here: everybody who is in it and not here would be answered "not known".
   */
  async #isAgreed(id: string, content: ImportState | undefined): Promise<boolean> {
    if (content === undefined) return true;
    const { before, made, agreed } = await this.#deps.pushed.replaceable(id);
    if (content.importedAt === agreed) return true;
    if (content.importedAt === made || content.importedAt === before) return false;
    throw new HitError(
      'not-ready',
      `what the register holds was not made of the pushed clients in this directory (it was imported, or files were lost or put back), so it stays as it was: push all clients of this register, and then run "hit-agent import --register ${id} --allow-shrink"`,
    );
  }

  #open(register: ConfiguredRegister, { fingerprint, sealed }: PushedClient): OpenedClient {
    const bound = concatBytes(fingerprint, new TextEncoder().encode(register.tokenTypes.join(' ')));
    const bytes = Uint8Array.from(sealed);
    let plain: Uint8Array;
    try {
      plain = this.#deps.suite.backend.aead.open(
        this.#sealKey,
        bytes.subarray(0, NONCE_BYTES),
        bound,
        bytes.subarray(NONCE_BYTES),
      );
    } catch (cause) {
      throw new HitError(
        'storage-failed',
        `client ${bytesToHex(fingerprint).slice(0, 8)}: it was pushed under other token types or keys, or is damaged: push all clients of this register again`,
        { cause },
      );
    }
    const view = new DataView(plain.buffer, plain.byteOffset);
    const code = view.getUint32(0);
    const until = code === 0 ? undefined : code - 1;
    const found = new Map<string, StoredPseudonym>();
    register.tokenTypes.forEach((type, i) => {
      const at = 4 + i * SLOT_BYTES;
      if (plain[at] !== 1) return;
      const element = plain.slice(at + 1, at + 1 + ELEMENT_BYTES);
      found.set(type, { element, maskedHash: view.getUint16(at + 1 + ELEMENT_BYTES), until });
    });
    return { until, pseudonyms: found };
  }
}

async function* groupsOf<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
