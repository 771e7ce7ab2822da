import { setTimeout as delay } from 'node:timers/promises';
import type { LogEvent, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  addCheckpointRequest,
  addSignatures,
  cosignaturesOn,
  decodeBase64,
  identityKeysAt,
  proveConsistency,
  utf8ToBytes,
  witnessName,
} from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { Connections } from '../ports/connections.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { CheckpointSigner, SignedHead } from './checkpoint-signer.ts';
import type { GatewayKeys } from './keys.ts';
import type { RosterKeeper } from './roster-keeper.ts';

/** Milliseconds that a witness has to answer, and that a round waits for those that answer soon. */
const ANSWER_WITHIN_MS = 5_000;
const GRACE_MS = 500;
/** Milliseconds between two entries about the same refusal of a witness. */
const REFUSAL_EVERY_MS = 3_600_000;
/** Rounds without a checkpoint that was due after which also a replica publishes that it does not fall to. */
const MISSED_ROUNDS = 3;
/** A witness that is at another size than we think says so (409), and is asked once more from there. */
const ATTEMPTS = 2;

interface WitnessingDeps {
  readonly auditLog: AuditLog;
  readonly published: Checkpoints;
  readonly checkpoints: CheckpointSigner;
  readonly connections: Connections;
  readonly roster: RosterKeeper;
  readonly keys: GatewayKeys;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

type Refusal = Extract<LogEvent, { event: 'witness-refused' }>['alarm'];

/**
 * Publishes checkpoints and has the partners' agents cosign them. Each agent says by its cosignature that the log
 * grew from what it saw before; once enough of them did, nobody can be shown another log.
 */
export class Witnessing {
  readonly #deps: WitnessingDeps;
  /** Entries in the newest checkpoint that each witness signed, and its signature line where this process has it. */
  readonly #signed = new Map<string, { readonly size: number; readonly line?: string }>();
  /** When each witness was last logged to refuse, by witness and alarm: a witness must not fill the log. */
  readonly #refused = new Map<string, number>();
  /** Witnesses that were asked and have not answered: they hold nobody up. */
  readonly #asked = new Set<string>();
  /** Agencies that were shown the latest checkpoint. */
  #shown: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;

  constructor(deps: WitnessingDeps) {
    this.#deps = deps;
  }

  /** One round: a checkpoint, the cosignatures that come soon, and the result told to all. One at a time. */
  publish(): Promise<void> {
    this.#running ??= this.#publish().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Entries in the latest published checkpoint, and in the log. */
  async standing(): Promise<{ readonly published: number; readonly logged: number }> {
    const { auditLog, published } = this.#deps;
    const [latest, head] = [await published.latest(), await auditLog.head()];
    return { published: latest?.size ?? 0, logged: head.size };
  }

  async #publish(): Promise<void> {
    const { checkpoints, published, connections, runtime, roster, log } = this.#deps;
    if (this.#signed.size === 0)
      for (const { witness, size } of await published.witnesses()) this.#signed.set(witness, { size });
    const signed = await checkpoints.current();
    const { size } = signed.head;
    const latest = await published.latest();
    // Another replica has published what came after we looked.
    if (latest !== undefined && latest.size > size) return;
    // Stored before anybody sees it: after a crash the gateway still knows what it signed.
    const before = latest?.size === size ? latest.note : signed.note;
    if (latest?.size !== size) await published.save({ size, at: runtime.now(), note: before });

    const members = new Set(roster.current.roster.agencies.map(({ id }) => id));
    const behind = connections
      .connected()
      .filter((id) => members.has(id) && !this.#asked.has(id) && this.#signed.get(id)?.size !== size);
    const answers = behind.map(async (agency) => {
      this.#asked.add(agency);
      await this.#cosign(agency, signed)
        .catch((err: unknown) => log.error('checkpoint-not-published', { agency, err }))
        .finally(() => this.#asked.delete(agency));
    });
    await Promise.race([Promise.all(answers), delay(GRACE_MS, undefined, { ref: false })]);

    const lines = [...this.#signed.values()].flatMap((one) => (one.size === size ? (one.line ?? []) : []));
    const note = addSignatures(before, lines);
    const connected = connections.connected();
    const allShown = connected.every((id) => this.#shown.has(id));
    this.#shown = new Set(connected);
    if (latest?.note !== note) await published.save({ size, at: runtime.now(), note });
    else if (allShown) return;
    connections.announceCheckpoint(utf8ToBytes(note));
  }

  /** Asks a witness to cosign, and keeps its line. Nothing comes of it when it is away, silent or refuses. */
  async #cosign(agency: string, signed: SignedHead): Promise<void> {
    const { auditLog, connections } = this.#deps;
    let size = Math.min(this.#signed.get(agency)?.size ?? 0, signed.head.size);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const proof = await proveConsistency(auditLog.hashes, size, signed.head.size);
      const body = utf8ToBytes(addCheckpointRequest(size, proof, signed.note));
      const reply = await connections.witness(agency, body, ANSWER_WITHIN_MS);
      if (reply === undefined) return;
      // Not now: it will be asked again.
      if (reply.status === 503) return;
      const text = new TextDecoder().decode(reply.body);
      if (reply.status === 200) return this.#accept(agency, signed, text);
      const theirs = reply.status === 409 ? Number(text.trim()) : Number.NaN;
      if (!Number.isSafeInteger(theirs) || theirs < 0)
        return this.#refusal(agency, signed.head, reply.status === 422 ? 'fork' : 'refused');
      if (theirs > signed.head.size) {
        // Another replica may have published more than this one has read; a witness ahead of the log itself has not.
        const { size: now } = await auditLog.head();
        if (theirs > now) await this.#refusal(agency, signed.head, 'rollback');
        return;
      }
      size = theirs;
    }
    // The same size with another root: the witness keeps pointing to where it stands.
    await this.#refusal(agency, signed.head, 'fork');
  }

  async #accept(agency: string, signed: SignedHead, line: string): Promise<void> {
    const { roster, keys, published, runtime } = this.#deps;
    const { size } = signed.head;
    const { federation, agencies } = roster.current.roster;
    const entry = agencies.find(({ id }) => id === agency);
    if (entry === undefined) return;
    const { backend } = keys.suite;
    const witnesses = identityKeysAt(backend, federation, entry, runtime.now()).map((key) => ({
      name: witnessName(federation, agency),
      publicKey: decodeBase64(key, 32),
    }));
    try {
      const note = addSignatures(signed.note, [line]);
      if (!witnesses.some((witness) => cosignaturesOn(backend, note, [witness]).length === 1))
        throw new HitError('signature-invalid');
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return this.#refusal(agency, signed.head, 'refused');
    }
    this.#signed.set(agency, { size, line });
    await published.noteWitness({ witness: agency, size, at: runtime.now() });
  }

  /** A witness that does not sign is for the auditors to know, once an hour. */
  async #refusal(agency: string, { size }: TreeHead, alarm: Refusal): Promise<void> {
    const { auditLog, runtime, log } = this.#deps;
    const what = `${alarm} ${agency}`;
    const now = runtime.now();
    if (now < (this.#refused.get(what) ?? 0) + REFUSAL_EVERY_MS) return;
    log.error('witness-refused', { agency, reason: alarm });
    await auditLog.append(now, { event: 'witness-refused', agency, size, alarm });
    this.#refused.set(what, now);
  }
}

/**
 * Publishes again and again until told to stop, while it falls to this replica, and also when it does not but whoever it
 * falls to leaves entries of the log unpublished: that one may see the other replicas and not the log. A round that fails
 * is logged once, until one succeeds. Two replicas that both publish do each other's work and no harm.
 */
export function keepPublishing(
  witnessing: Witnessing,
  { log, leads }: { readonly log: OperationalLog; readonly leads: () => boolean },
  everyMs: number,
): { stop(): Promise<void> } {
  let failing = false;
  let running: Promise<void> = Promise.resolve();
  /** The latest checkpoint that was seen, and the rounds in which it stayed while the log had more. */
  const seen = { published: -1, missed: 0 };
  const isLeft = async (): Promise<boolean> => {
    const { published, logged } = await witnessing.standing();
    if (published !== seen.published) seen.missed = 0;
    else if (published < logged) seen.missed++;
    seen.published = published;
    return published < logged && seen.missed >= MISSED_ROUNDS;
  };
  const round = async (): Promise<void> => {
    try {
      if (leads()) await witnessing.publish();
      else if (await isLeft()) {
        await witnessing.publish();
        // From here on until somebody else publishes.
        seen.published = (await witnessing.standing()).published;
      }
      failing = false;
    } catch (err) {
      if (!failing) log.error('checkpoint-not-published', { err });
      failing = true;
    }
  };
  const timer = setInterval(() => {
    running = round();
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
