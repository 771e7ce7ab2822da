import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { ownPeer } from './peer-hitmachine.ts';
import { loadPsi } from './peer-psi.ts';
import { rangePeer } from './peer-range.ts';
import { loadVoprf } from './peer-voprf.ts';
import type { Effort } from './rounds.ts';
import { measureInTurns, ratioOf } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

type Make = (size: number) => Peer | Promise<Peer>;

/** The others: how to make one ready for a set of a size, or by name why it cannot be had. */
export interface Peers {
  readonly psi: Make | string;
  readonly voprf: Make | string;
  remove(): void;
}

/** Fetches what the others are made of into a temporary folder. */
export async function fetchPeers(): Promise<Peers> {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-peers-'));
  const orReason = async (load: () => Promise<Make>): Promise<Make | string> => {
    try {
      return await load();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return {
    psi: await orReason(() => loadPsi(folder)),
    voprf: await orReason(() => loadVoprf(folder)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** One lookup in a set of a size. */
export interface PeerFigures extends Omit<Peer, 'sides'> {
  /** Microseconds of processor time, by side. */
  readonly sides: readonly { readonly side: string; readonly cost: Spread }[];
}

export interface LookupFigures {
  readonly size: number;
  readonly peers: readonly PeerFigures[];
}

/** Node answers for every request that psi.js processes: these two beside each other, and nobody else's garbage. */
export async function measureAgainstPsi(
  { psi }: Peers,
  size: number,
  effort: Effort,
): Promise<Spread | undefined> {
  if (typeof psi === 'string') return undefined;
  const own = await ownPeer(size);
  try {
    const [ours, theirs] = [own, await psi(size)].map(({ sides }) => sides[0]?.subject);
    if (ours === undefined || theirs === undefined) throw new Error('somebody has no holder');
    const costs = await measureInTurns([ours, theirs], effort);
    return ratioOf(costs(theirs.name), costs(ours.name));
  } finally {
    await own.close();
  }
}

/** Measures one lookup with everybody who is there, beside each other. */
export async function measureLookups(peers: Peers, size: number, effort: Effort): Promise<LookupFigures> {
  const own = await ownPeer(size);
  try {
    const ready: Peer[] = [own];
    for (const make of [peers.psi, peers.voprf, rangePeer])
      if (typeof make !== 'string') ready.push(await make(size));
    const costs = await measureInTurns(
      ready.flatMap(({ sides }) => sides.map(({ subject }) => subject)),
      effort,
    );
    return {
      size,
      peers: ready.map((peer) => ({
        ...peer,
        sides: peer.sides.map(({ side, subject }) => ({ side, cost: spreadOf(costs(subject.name)) })),
      })),
    };
  } finally {
    await own.close();
  }
}
