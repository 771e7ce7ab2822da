/** Names of this machine: what goes to them crosses no network. */
const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const DATABASE = /^\/?\d{0,5}$/;

/** What is wrong with the address of a Redis server, with the cure; undefined when nothing is. */
export function redisUrlComplaint(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'an address such as redis://127.0.0.1:6379';
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    return 'an address that begins with redis://, or rediss:// with TLS';
  if (url.hostname === '') return 'the address names no machine: redis://HOST:6379';
  if (!DATABASE.test(url.pathname))
    return 'the address ends with the number of a database, if with anything: redis://HOST:6379/0';
  // Our client would take settings from there, such as not to look at certificates.
  if (url.search !== '' || url.hash !== '') return 'the address takes no parameters';
  if (url.protocol === 'redis:' && !LOCAL.test(url.hostname))
    return 'the server is on another machine: use rediss:// (TLS); redis.caFile names the certificate of an authority of your own';
  return undefined;
}

/** Whether an address holds a password: then it belongs in a file that only the gateway may read. */
export const holdsRedisPassword = (text: string): boolean => new URL(text).password !== '';

/** What is wrong with the addresses of one Redis cluster together; undefined when nothing is. */
export function redisUrlsComplaint(texts: readonly string[]): string | undefined {
  if (texts.length === 0) return 'at least one address, such as redis://127.0.0.1:6379';
  for (const text of texts) {
    const complaint = redisUrlComplaint(text);
    if (complaint !== undefined) return complaint;
  }
  if (texts.length === 1) return undefined;
  const [first, ...others] = texts.map((text) => new URL(text)) as [URL, ...URL[]];
  const alike = ({ protocol, username, password }: URL): boolean =>
    protocol === first.protocol && username === first.username && password === first.password;
  if (!others.every(alike))
    return 'the addresses of a cluster have the same user, password and redis:// or rediss://';
  if ([first, ...others].some(({ pathname }) => Number(pathname.slice(1)) !== 0))
    return 'a cluster has no numbers of databases: leave out what comes after the port';
  return undefined;
}
