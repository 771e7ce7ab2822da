/** The part of this package that is loaded only where PostgreSQL is used. */
export { PostgresDatabase } from './postgres-database.ts';
export { preparePostgres } from './postgres-open.ts';
