import { loginPaths } from '@hitmachine/web';

/** Where the privacy officer's pages are mounted. */
export const DESK = '/desk';

/** Their addresses. */
export const PATHS = {
  ...loginPaths(DESK),
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

export const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`);
