/** Names of this machine: what goes to them crosses no network. */
const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** What is wrong with the address of a PostgreSQL database, with the cure; undefined when nothing is. */
export function postgresUrlComplaint(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'an address such as postgres://USER@HOST:5432/DATABASE';
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')
    return 'an address that begins with postgres://';
  if (url.pathname.length < 2)
    return 'the address ends with the name of a database: postgres://USER@HOST/DATABASE';
  // `host` among the parameters goes before the one in the address; one with a slash is a socket's folder.
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const local = host.startsWith('/') || LOCAL.test(host);
  if (!local && url.searchParams.get('sslmode') !== 'verify-full')
    return 'the database is on another machine: add ?sslmode=verify-full (and &sslrootcert=FILE where its certificate is from an authority of your own)';
  return undefined;
}

/** Whether an address holds a password: then it belongs in a file that only the gateway may read. */
export function holdsPassword(text: string): boolean {
  const url = new URL(text);
  return url.password !== '' || url.searchParams.has('password');
}
