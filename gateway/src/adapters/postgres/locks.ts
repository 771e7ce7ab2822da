/** Names of the advisory locks of a database, which is for one federation. */
export const LOCK_SPACE = 0x484954;
export const APPEND_LOCK_ID = 1;

const lock = (id: number): string => `SELECT pg_advisory_xact_lock(${LOCK_SPACE}, ${id})`;
/** Orders the transactions that append. */
export const APPEND_LOCK = lock(APPEND_LOCK_ID);
export const SCHEMA_LOCK = lock(2);
/** Orders those who bring the search index up to date. */
export const SEARCH_LOCK = lock(3);
/** Orders those who write the directory. */
export const DIRECTORY_LOCK = lock(4);
