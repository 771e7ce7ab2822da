import { loginPaths } from '@hitmachine/web';

/** Where the pages of professionals and of the privacy officer are mounted. */
export const DESK = '/desk';

/** Their addresses. */
export const PATHS = {
  ...loginPaths(DESK),
  /** Where a login leads to: the first page of whoever it is. */
  start: `${DESK}/start`,
  /** Shown in the tab in which somebody logged in again beside a form. */
  loggedIn: `${DESK}/logged-in`,
  ask: `${DESK}/ask`,
  approvals: `${DESK}/approvals`,
  own: `${DESK}/own`,
  batch: `${DESK}/batch`,
  askedOfUs: `${DESK}/asked-of-us`,
  search: `${DESK}/search`,
  figures: `${DESK}/figures`,
  resolve: `${DESK}/resolve`,
  check: `${DESK}/check`,
  reviews: `${DESK}/reviews`,
  subjectAccess: `${DESK}/subject-access`,
  csv: `${DESK}/export/log.csv`,
  ndjson: `${DESK}/export/log.ndjson`,
} as const;

export const entryPath = (sequence: number): string => `${DESK}/entries/${sequence}`;

/** A question that was asked at the desk; the key tells nothing of it. */
export const lookupPath = (key: string): string => `${DESK}/lookups/${key}`;

/** Figures over the households of a file; the key tells nothing of it. */
export const batchPath = (key: string): string => `${PATHS.batch}/${key}`;

export const ownPath = (sequence: number): string => `${PATHS.own}/${sequence}`;

export const purposePath = (code: string): string =>
  `${PATHS.ask}?${new URLSearchParams({ purpose: code }).toString()}`;

export const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`);
