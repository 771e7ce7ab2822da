/** What to do about the errors that an administrator meets: by SQLSTATE, or by Node's code. */
const CURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there: start PostgreSQL, or correct the address',
  ECONNRESET: 'the connection broke: see whether PostgreSQL runs',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct the address',
  ENOTFOUND: 'its name cannot be resolved: correct the address',
  EAI_AGAIN: 'its name cannot be resolved: correct the address, or see to DNS',
  EHOSTUNREACH: 'it cannot be reached: correct the address, or see to the network',
  ETIMEDOUT: 'it does not answer: correct the address, or see to the network',
  '28P01': 'it refuses the password: correct the one in the file that urlFile names',
  '28000': 'it refuses this user: correct the user, or pg_hba.conf on the server',
  '3D000': 'there is no database of this name: make it with createdb',
  '42501': 'its user may not make tables: let it own the database (ALTER DATABASE ... OWNER TO ...)',
  '53100': 'its disk is full: make room on the server',
  '53300': 'it has no connections left: raise max_connections in postgresql.conf',
  '57P01': 'it was stopped: start PostgreSQL',
  '57P02': 'it crashed, and starts again',
  '57P03': 'it is starting up or shutting down: wait, or try again',
};

/** What is wrong with a database, in words with the cure; undefined for what no administrator can mend. */
export function postgresProblem(cause: unknown): string | undefined {
  const { code = '', message = '' } = cause as { readonly code?: string; readonly message?: string };
  const cure =
    CURES[code] ??
    (/timeout/i.test(message) ? CURES['ETIMEDOUT'] : undefined) ??
    (/terminated|ended|closed/i.test(message) ? CURES['ECONNRESET'] : undefined);
  return cure === undefined ? undefined : `the PostgreSQL database: ${cure}`;
}
