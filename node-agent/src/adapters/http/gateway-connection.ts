import type { ConnectionState, ConnectionsState, GatewayConnection } from '../../ports/gateway-connection.ts';
import type { OtherClock } from './clock-problem.ts';
import { clockWords, wrongClock } from './clock-problem.ts';
import type { GatewayLink, LinkDeps } from './gateway-link.ts';
import { openLink } from './gateway-link.ts';
import type { Hello } from './handshake.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A connection that lasted shorter counts as a failure, so that one that is cut at once is not reopened at once. */
const STABLE_MS = 10_000;
/** Pauses between attempts to reach one that goes on, when a process of the gateway says that it stops. */
const FIRST_MOVE_MS = 100;
const LONGEST_MOVE_MS = 1_000;
/** Pauses between attempts to reach another process of the gateway, where two connections end at one. */
const FIRST_SEARCH_MS = 1_000;
const LONGEST_SEARCH_MS = 600_000;

/** The place of one connection. */
interface Slot {
  readonly number: number;
  state: ConnectionState;
  link: GatewayLink | undefined;
  /** The one that takes its place when the process at its end stops. */
  next: GatewayLink | undefined;
  /** The link whose place another one is looked for. */
  movingFrom: GatewayLink | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Attempts that failed in a row. */
  failures: number;
  /** Counts addresses, so that each attempt after a failure goes to the next one. */
  turn: number;
}

interface ConnectionsDeps extends LinkDeps {
  /** How many connections are wanted. */
  readonly wanted: number;
  /** Clocks that neither the gateway nor this machine keeps, where there are any; asked when the two differ. */
  readonly otherClocks?: (() => Promise<readonly OtherClock[]>) | undefined;
}

/**
 * Opens the connections and keeps them up. Full-jitter pauses, so that agents do not all come back at once. Where two end
 * at one process of the gateway, another is looked for from time to time: behind one address there may be several.
 */
export function openGatewayConnections(deps: ConnectionsDeps): GatewayConnection {
  return new Connections(deps);
}

class Connections implements GatewayConnection {
  readonly #deps: ConnectionsDeps;
  readonly #slots: readonly Slot[];
  #closing = false;
  #up: { readonly connected: boolean; readonly since: number };
  #search: { failures: number; timer: NodeJS.Timeout | undefined; link: GatewayLink | undefined } = {
    failures: 0,
    timer: undefined,
    link: undefined,
  };
  #gatewayAheadMs: number | undefined;
  #clockProblem: string | undefined;

  constructor(deps: ConnectionsDeps) {
    this.#deps = deps;
    const now = deps.signer.clock();
    this.#up = { connected: false, since: now };
    const urls = deps.net.addresses.all;
    this.#slots = Array.from({ length: deps.wanted }, (_, number) => ({
      number,
      state: {
        url: urls[number % urls.length] as string,
        connected: false,
        replica: undefined,
        since: now,
        problem: 'connecting',
      },
      link: undefined,
      next: undefined,
      movingFrom: undefined,
      timer: undefined,
      failures: 0,
      turn: number,
    }));
    for (const slot of this.#slots) this.#open(slot);
  }

  state(): ConnectionsState {
    const connections = this.#slots.map(({ state }) => state);
    return {
      ...this.#up,
      problem: this.#up.connected ? undefined : connections[0]?.problem,
      connections,
      gatewayAheadMs: this.#gatewayAheadMs,
      clockProblem: this.#clockProblem,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#search.timer);
    for (const { timer } of this.#slots) clearTimeout(timer);
    const links = [this.#search.link, ...this.#slots.flatMap(({ link, next }) => [link, next])];
    await Promise.all(links.flatMap((link) => (link === undefined ? [] : [link.leave()])));
  }

  #open(slot: Slot): void {
    const urls = this.#deps.net.addresses.all;
    const url = urls[slot.turn % urls.length] as string;
    this.#attach(slot, url, (link) => (slot.link = link));
  }

  /** Opens a link for a slot; `opened` gets it before anything is heard of it. */
  #attach(slot: Slot, url: string, opened: (link: GatewayLink) => void): void {
    const link = openLink(this.#deps, url, {
      greeted: (hello) => {
        this.#greeted(slot, url, hello);
        // What was there before says nothing of what is there now.
        clearTimeout(this.#search.timer);
        this.#search.timer = undefined;
        this.#search.failures = 0;
        this.#lookForAnother();
      },
      leaving: () => this.#leaves(slot, link),
      closed: (problem) => {
        if (slot.link === link) this.#closed(slot, url, problem);
      },
    });
    opened(link);
  }

  /** A gateway says that it stops; said again it is nothing new, since each move opens a link. */
  #leaves(slot: Slot, link: GatewayLink): void {
    if (slot.movingFrom === link) return;
    if (slot.link === link) slot.movingFrom = link;
    this.#moveOn(slot, link);
  }

  /** The process at the end of a slot's link stops: another link first, so that no question finds none. */
  #moveOn(slot: Slot, from: GatewayLink, failures = 0): void {
    const { replica } = slot.state;
    this.#deps.net.addresses.leaves(from.url);
    // Where it ended meanwhile, it is opened again as after any end.
    if (slot.link !== from) return;
    slot.timer = setTimeout(
      () => {
        if (this.#closing || slot.link !== from) return;
        const urls = this.#deps.net.addresses.all;
        const url = urls[++slot.turn % urls.length] as string;
        const link = openLink(this.#deps, url, {
          greeted: (hello) => {
            const isFree = slot.link === from || slot.link === undefined;
            if (this.#closing || !isFree || hello.replica === replica) return void link.leave();
            clearTimeout(slot.timer);
            slot.next = undefined;
            slot.link = link;
            this.#moved(slot, url, hello);
            void from.leave();
            this.#lookForAnother();
          },
          leaving: () => this.#leaves(slot, link),
          closed: (problem) => {
            if (slot.next === link) slot.next = undefined;
            if (slot.link === link) this.#closed(slot, url, problem);
            else this.#moveOn(slot, from, failures + 1);
          },
        });
        slot.next = link;
      },
      pause(failures, FIRST_MOVE_MS, LONGEST_MOVE_MS),
    );
  }

  #moved(slot: Slot, url: string, hello: Hello): void {
    this.#greeted(slot, url, hello);
    this.#deps.log.info({
      event: 'gateway-connection-moved',
      connection: slot.number + 1,
      url,
      replica: hello.replica,
    });
  }

  #greeted(slot: Slot, url: string, hello: Hello): void {
    this.#compareClocks(hello);
    this.#deps.net.addresses.greeted(url);
    this.#change(slot, { url, connected: true, replica: hello.replica, problem: undefined }, hello);
    this.#deps.handler.connected(hello.rosterVersion);
  }

  #closed(slot: Slot, url: string, problem: string): void {
    const { connected, since } = slot.state;
    if (connected && this.#deps.signer.clock() - since > STABLE_MS) slot.failures = 0;
    if (!connected) this.#deps.net.addresses.failed(url);
    const why = this.#closing ? 'this agent stops' : problem;
    this.#change(slot, { url, connected: false, replica: undefined, problem: why });
    slot.link = undefined;
    slot.turn++;
    if (!this.#closing)
      slot.timer = setTimeout(
        () => this.#open(slot),
        pause(slot.failures++, FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
      );
  }

  /** Notes how a slot is now, and tells what is news: the whole, and each connection once. */
  #change(slot: Slot, to: Omit<ConnectionState, 'since'>, hello?: Hello): void {
    const { log, signer } = this.#deps;
    const before = slot.state;
    const now = signer.clock();
    slot.state = { ...to, since: before.connected === to.connected ? before.since : now };
    const connection = slot.number + 1;
    const { url, replica, problem } = to;
    if (before.connected !== to.connected)
      log.info({
        event: to.connected ? 'gateway-connected' : 'gateway-disconnected',
        connection,
        url,
        replica,
        problem,
        ...(hello !== undefined && { version: hello.version, program: hello.program }),
      });
    else if (!to.connected && !this.#closing && withoutTime(problem) !== withoutTime(before.problem))
      log.warn({ event: 'gateway-unreachable', connection, url, problem });
    const connected = this.#slots.some(({ state }) => state.connected);
    if (connected !== this.#up.connected) this.#up = { connected, since: now };
  }

  #compareClocks({ now, replica }: Hello): void {
    const { signer, log, otherClocks } = this.#deps;
    const ahead = now - signer.clock();
    this.#gatewayAheadMs = ahead;
    if (wrongClock(ahead, []) === undefined) {
      this.#clockProblem = undefined;
      return;
    }
    const tell = (others: readonly OtherClock[]): void => {
      this.#clockProblem = clockWords(ahead, others);
      log.warn({ event: 'clock-skew', milliseconds: Math.abs(ahead), replica, problem: this.#clockProblem });
    };
    if (otherClocks === undefined) return tell([]);
    void otherClocks().then(tell, () => tell([]));
  }

  /** A connection that ends where another one does: when that process goes, both go. */
  #duplicate(): Slot | undefined {
    return this.#slots.find(
      ({ number, state }) =>
        state.connected &&
        this.#slots.some((other) => other.number < number && other.state.replica === state.replica),
    );
  }

  /** Tries, after a pause, to reach a process that no connection goes to yet. At most one attempt at a time. */
  #lookForAnother(): void {
    const search = this.#search;
    if (this.#closing || search.timer !== undefined || search.link !== undefined) return;
    if (this.#duplicate() === undefined) {
      search.failures = 0;
      return;
    }
    search.timer = setTimeout(
      () => {
        search.timer = undefined;
        if (this.#duplicate() === undefined) return this.#lookForAnother();
        this.#tryAnother();
      },
      pause(search.failures, FIRST_SEARCH_MS, LONGEST_SEARCH_MS),
    );
  }

  #tryAnother(): void {
    const search = this.#search;
    const urls = this.#deps.net.addresses.all;
    const url = urls[search.failures++ % urls.length] as string;
    let adoptedBy: Slot | undefined;
    const again = (): void => {
      search.link = undefined;
      this.#lookForAnother();
    };
    const link = openLink(this.#deps, url, {
      greeted: (hello) => {
        const duplicate = this.#duplicate();
        const isNew = !this.#slots.some(({ state }) => state.connected && state.replica === hello.replica);
        if (this.#closing || duplicate === undefined || !isNew) return void link.leave();
        adoptedBy = duplicate;
        const before = duplicate.link;
        duplicate.link = link;
        this.#moved(duplicate, url, hello);
        // The old one is left only now that the new one stands, so no question finds neither.
        void before?.leave();
        again();
      },
      leaving: () => {
        if (adoptedBy !== undefined) this.#leaves(adoptedBy, link);
      },
      closed: (problem) => {
        if (adoptedBy === undefined) return again();
        if (adoptedBy.link === link) this.#closed(adoptedBy, url, problem);
      },
    });
    search.link = link;
  }
}

/** Full jitter: anything up to an exponentially growing bound. Not a secret, so no secure randomness is needed. */
function pause(failures: number, first: number, longest: number): number {
  return Math.random() * Math.min(longest, first * 2 ** failures);
}

/** A clock that is off is so by another time at each attempt; that is no news. */
const withoutTime = (problem: string | undefined): string | undefined =>
  problem?.replace(/\d+ (seconds|minutes|hours|days)/, '#');
