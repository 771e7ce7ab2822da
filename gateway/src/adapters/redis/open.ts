import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { HitError } from '@hitmachine/protocol';

const CONNECT_MS = 2_000;
const COMMAND_MS = 1_000;
/** What the first attempt may take, before a gateway starts without. */
const FIRST_MS = 5_000;
const RETRY_MS = 500;
/** Milliseconds after which it is looked up anew which server of a cluster holds what. */
const REFRESH_MS = 2_000;
const DEFAULT_PORT = 6379;

/** One server, or a cluster of them: commands about one key are the same to both. */
export type RedisStore = Redis | Cluster;

/** A connection to Redis that is made again by itself whenever it breaks. */
export interface RedisConnection {
  readonly redis: RedisStore;
  close(): void;
}

/**
 * Opens a connection to Redis: to the server of one address, or to the cluster that the servers of several belong to. `ca`
 * holds the certificates of the authorities (PEM) that alone vouch for a server of rediss://; unless told, the public ones.
 * What is away now is tried again for ever; until it is there every command fails at once. `onChange` hears when it goes
 * away and when it is there. Throws `config-invalid`, with the cure, for a server that refuses us or that drops keys when
 * it is full.
 */
export async function openRedis(
  urls: readonly string[],
  onChange: (away: boolean) => void,
  ca?: string,
): Promise<RedisConnection> {
  const redis = storeOf(
    urls.map((url) => new URL(url)),
    ca,
  );
  let away: boolean | undefined;
  const tell = (now: boolean): void => {
    if (away !== now) onChange(now);
    away = now;
  };
  // Without a listener an error of the connection would end the process; what it means for a command is told by that.
  let refusal: Error | undefined;
  const keepRefusal = (error: unknown): void => {
    refusal = isReply(error) ? error : refusal;
  };
  redis
    .on('error', keepRefusal)
    .on('node error', keepRefusal)
    .on('close', () => tell(true))
    .on('ready', () => tell(false));
  const refreshing = redis instanceof Cluster ? keepRefreshing(redis) : undefined;
  const close = (): void => {
    clearInterval(refreshing);
    redis.removeAllListeners('close');
    redis.disconnect();
  };
  try {
    const connected = redis.connect().catch((error: { lastNodeError?: unknown }) => {
      keepRefusal(error.lastNodeError);
      tell(true);
    });
    // The promise of a cluster that is there and serves nobody yet is never settled: its first end is what tells.
    const closed = new Promise<void>((resolve) => {
      redis.once('close', () => resolve());
    });
    await Promise.race([connected, closed, delay(FIRST_MS, undefined, { ref: false })]);
    if (redis.status !== 'ready') tell(true);
    // A wrong password comes as an event, and the connection goes on trying.
    if (refusal !== undefined) throw refusal;
    if (redis.status === 'ready')
      for (const server of redis instanceof Cluster ? redis.nodes('master') : [redis])
        await requireSafe(server);
  } catch (error) {
    close();
    throw explained(error);
  }
  return { redis, close };
}

/**
 * Looks up anew, again and again, which server holds what. The client's own interval goes on after a disconnect that comes
 * while it looks, and keeps the process from ending.
 */
const keepRefreshing = (cluster: Cluster): NodeJS.Timeout =>
  setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, REFRESH_MS).unref();

function storeOf(urls: readonly URL[], ca: string | undefined): RedisStore {
  const [first, ...others] = urls as [URL, ...URL[]];
  const options = optionsOf(first, ca);
  if (others.length === 0)
    return new Redis({ ...addressOf(first), ...options, ...named(first, options.tls), retryStrategy: soon });
  const { enableOfflineQueue, lazyConnect, ...redisOptions } = options;
  return new Cluster(urls.map(addressOf), {
    redisOptions,
    enableOfflineQueue,
    lazyConnect,
    clusterRetryStrategy: soon,
    // A command that may have been carried out is not sent again: whoever waits for it is told.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: COMMAND_MS,
  });
}

const soon = (times: number): number => Math.min(times * 50, RETRY_MS);

const addressOf = (url: URL) => ({
  host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
  port: url.port === '' ? DEFAULT_PORT : Number(url.port),
});

/** One server is asked for by its name, which those of a cluster have of their own. An address is no such name. */
const named = ({ hostname }: URL, tls: { ca?: string } | undefined) =>
  tls !== undefined && isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0
    ? { tls: { ...tls, servername: hostname } }
    : {};

function optionsOf(url: URL, ca: string | undefined) {
  const plain = (text: string): string | undefined => (text === '' ? undefined : decodeURIComponent(text));
  return {
    username: plain(url.username),
    password: plain(url.password),
    db: Number(url.pathname.slice(1)),
    // Without a name of its own each server's certificate has to be for the address that it is reached at.
    ...(url.protocol === 'rediss:' && { tls: { ...(ca !== undefined && { ca }) } }),
    protocol: 3,
    lazyConnect: true,
    keepAlive: 10_000,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    maxRetriesPerRequest: 1,
    // A lookup is refused at once while Redis is away, and no claim is ever sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions;
}

/** A store that drops keys when it is full would drop counters, and let through again what was refused. */
async function requireSafe(redis: Redis): Promise<void> {
  // One that is away now is no reason not to start.
  const info = await redis.info('memory').catch((error: unknown) => {
    if (isReply(error)) throw error;
    return '';
  });
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction')
    throw new HitError(
      'config-invalid',
      `redis: the server drops keys when it is full (${policy}): set maxmemory-policy noeviction, and use a server of the gateway's own`,
    );
}

/** Whether the server itself said no. */
const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

function explained(error: unknown): unknown {
  if (!isReply(error)) return error;
  const refused = /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH)/.test(error.message);
  const cure = refused
    ? 'the server refuses this user or password: correct the address in the file that urlFile names'
    : 'the server cannot be used: look at the reason below';
  return new HitError('config-invalid', `redis: ${cure}`, { cause: error });
}
