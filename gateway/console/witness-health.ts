import type { EvidenceDeps } from '../src/domain/entry-evidence.ts';
import { cosignersOf } from '../src/domain/entry-evidence.ts';
import type { Connections } from '../src/ports/connections.ts';
import type { PublishedCheckpoint } from '../src/ports/checkpoints.ts';
import type { FoundEntry } from '../src/ports/log-search.ts';

/** How an agency does as a witness. */
export interface WitnessHealth {
  readonly agency: string;
  /** Entries in the newest checkpoint that it cosigned; undefined when it never did. */
  readonly size: number | undefined;
  /** Entries that were published since. */
  readonly behind: number;
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  readonly connected: boolean;
  readonly state: 'current' | 'behind' | 'never' | 'alarm';
}

export interface WitnessesView {
  readonly latest: PublishedCheckpoint | undefined;
  /** How many cosigned the latest. */
  readonly cosigned: number;
  readonly witnesses: readonly WitnessHealth[];
  /** Entries 'witness-refused', newest first. */
  readonly alarms: readonly FoundEntry[];
}

const MAX_ALARMS = 100;
/** Checkpoints are published every few seconds; a witness that is that far behind is only late. */
const LATE_MS = 60_000;

/** How all witnesses do. Throws `storage-failed`. */
export async function witnessHealth(
  deps: EvidenceDeps & { readonly connections: Connections; readonly runtime: { now(): number } },
): Promise<WitnessesView> {
  const latest = await deps.published.latest();
  const states = new Map((await deps.published.witnesses()).map((state) => [state.witness, state]));
  const alarms = await deps.search.find({ events: ['witness-refused'] }, undefined, MAX_ALARMS);
  const connected = new Set(deps.connections.connected());
  const published = latest?.size ?? 0;
  const witnesses = deps.roster.current.roster.agencies.map(({ id }): WitnessHealth => {
    const seen = states.get(id);
    const behind = published - (seen?.size ?? 0);
    const alarmAt = alarms.find(({ entry }) => entry.event === 'witness-refused' && entry.agency === id)
      ?.entry.at;
    const late = behind > 0 && deps.runtime.now() - (seen?.at ?? 0) > LATE_MS;
    const state =
      alarmAt !== undefined && alarmAt >= (seen?.at ?? 0)
        ? 'alarm'
        : seen === undefined
          ? 'never'
          : late
            ? 'behind'
            : 'current';
    return { agency: id, size: seen?.size, behind, at: seen?.at, connected: connected.has(id), state };
  });
  const cosigned = latest === undefined ? 0 : cosignersOf(deps, latest.note).length;
  return { latest, cosigned, witnesses, alarms };
}
