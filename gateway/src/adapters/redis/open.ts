import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { HitError } from '@hitmachine/protocol';

const CONNECT_MS = 2_000;
const COMMAND_MS = 1_000;
const RETRY_MS = 500;
const DEFAULT_PORT = 6379;

/** A connection to Redis that is made again by itself whenever it breaks. */
export interface RedisConnection {
  readonly redis: Redis;
  close(): void;
}

/**
 * Opens a connection to Redis. A server that is away now is tried again for ever; until it is there every command
 * fails at once. `onChange` hears when it goes away and when it is there. Throws `config-invalid`, with the cure, for a
 * server that refuses us or that drops keys when it is full.
 */
export async function openRedis(url: string, onChange: (away: boolean) => void): Promise<RedisConnection> {
  const redis = new Redis(optionsOf(new URL(url)));
  let away: boolean | undefined;
  const tell = (now: boolean): void => {
    if (away !== now) onChange(now);
    away = now;
  };
  // Without a listener an error of the connection would end the process; what it means for a command is told by that.
  let refusal: Error | undefined;
  redis
    .on('error', (error) => (refusal = isReply(error) ? error : refusal))
    .on('close', () => tell(true))
    .on('ready', () => tell(false));
  const close = (): void => {
    redis.removeAllListeners('close');
    redis.disconnect();
  };
  try {
    await redis.connect().catch(() => tell(true));
    // A wrong password comes as an event, and the connection goes on trying.
    if (refusal !== undefined) throw refusal;
    if (redis.status === 'ready') await requireSafe(redis);
  } catch (error) {
    close();
    throw explained(error);
  }
  return { redis, close };
}

function optionsOf(url: URL) {
  const plain = (text: string): string | undefined => (text === '' ? undefined : decodeURIComponent(text));
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    username: plain(url.username),
    password: plain(url.password),
    db: Number(url.pathname.slice(1)),
    ...(url.protocol === 'rediss:' && { tls: { servername: url.hostname } }),
    protocol: 3,
    lazyConnect: true,
    keepAlive: 10_000,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    maxRetriesPerRequest: 1,
    // A lookup is refused at once while Redis is away, and no claim is ever sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times: number) => Math.min(times * 50, RETRY_MS),
  } satisfies RedisOptions;
}

/** A store that drops keys when it is full would drop counters, and let through again what was refused. */
async function requireSafe(redis: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1];
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
