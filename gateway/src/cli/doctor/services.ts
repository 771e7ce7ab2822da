import type { Finding } from '@hitmachine/service';
import { ok, warning, wrong } from '@hitmachine/service';
import { openRedis } from '../../adapters/redis/open.ts';
import type { GatewayConfig } from '../../config.ts';
import type { GatewayFiles } from '../gateway-files.ts';
import type { GatewayStore } from '../gateway-store.ts';
import { openGatewayStore, redisAddresses } from '../gateway-store.ts';

const ASK_MS = 5_000;

/** Whether the log can be written, and whether what was written is published. */
export async function lookAtStore(files: GatewayFiles, config: GatewayConfig): Promise<Finding[]> {
  const store = await openGatewayStore(files, config);
  try {
    await store.auditLog.probe();
    const where = config.database === undefined ? files.database : 'the PostgreSQL database';
    return [ok('database', `${where} can be written`), await publishing(store)];
  } finally {
    await store.close();
  }
}

async function publishing({ auditLog, published }: GatewayStore): Promise<Finding> {
  const [{ size }, latest] = await Promise.all([auditLog.head(), published.latest()]);
  if (latest === undefined)
    return warning('log', `${size} entries, none of them published yet: that begins when the gateway serves`);
  const behind = size - latest.size;
  return ok('log', `${size} entries, all but the last ${behind} published for the agents to check`);
}

/** Whether the Redis server or cluster that gateway.yaml names answers and is safe; nothing where it names none. */
export async function lookAtRedis(files: GatewayFiles, { redis }: GatewayConfig): Promise<Finding[]> {
  if (redis === undefined) return [];
  const connection = await openRedis(await redisAddresses(files, redis), () => undefined);
  try {
    await connection.redis.ping();
    return [ok('Redis', 'it answers')];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [
      wrong(
        'Redis',
        `it does not answer (${code ?? message}), and lookups are refused meanwhile: start it, or correct the address in gateway.yaml`,
      ),
    ];
  } finally {
    connection.close();
  }
}

/** Whether the identity provider of the auditors answers; nothing where there is no console. */
export async function lookAtConsole({ console: pages }: GatewayConfig): Promise<Finding[]> {
  if (pages === undefined) return [];
  const at = `${pages.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(at, { signal: AbortSignal.timeout(ASK_MS) });
    if (response.ok) return [ok('console', 'the identity provider of the auditors answers')];
    return [
      wrong(
        'console',
        `${at} answers with status ${response.status}: look at console.issuer in gateway.yaml`,
      ),
    ];
  } catch {
    return [
      wrong(
        'console',
        `nothing answers at ${at}, and no auditor can log in: look at console.issuer in gateway.yaml, and whether the identity provider runs`,
      ),
    ];
  }
}
