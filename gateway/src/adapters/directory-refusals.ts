import { HitError } from '@hitmachine/protocol';

/** Refusals that every adapter of the directory has in common. */
export const newerMembers = (): HitError =>
  new HitError('already-exists', 'another process has published a newer list of members');
export const otherOfflineKey = (): HitError =>
  new HitError('already-exists', 'another offline key is in use: a federation keeps the one it has');
