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
    return 'the server is on another machine: use rediss:// (TLS); NODE_EXTRA_CA_CERTS names the certificate of an authority of your own';
  return undefined;
}

/** Whether an address holds a password: then it belongs in a file that only the gateway may read. */
export const holdsRedisPassword = (text: string): boolean => new URL(text).password !== '';
