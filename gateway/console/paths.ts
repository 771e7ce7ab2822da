import { loginPaths } from '@hitmachine/web';
import type { SearchField } from './search-form.ts';
import { searchQuery } from './search-form.ts';

/** Where the console is mounted. */
export const CONSOLE = '/console';

/** The addresses of the console. */
export const PATHS = {
  ...loginPaths(CONSOLE),
  search: `${CONSOLE}/search`,
  figures: `${CONSOLE}/figures`,
  witnesses: `${CONSOLE}/witnesses`,
  csv: `${CONSOLE}/export/log.csv`,
  ndjson: `${CONSOLE}/export/log.ndjson`,
  otlp: `${CONSOLE}/export/otlp`,
} as const;

export const entryPath = (index: number): string => `${CONSOLE}/entries/${index}`;

const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`);

export const searchPath = (values: Partial<Record<SearchField, string>>, before?: number): string =>
  withQuery(PATHS.search, searchQuery(values, before));

export const exportPath = (
  format: 'csv' | 'ndjson' | 'otlp',
  values: Partial<Record<SearchField, string>>,
): string => withQuery(PATHS[format], searchQuery(values));
