import { basename } from 'node:path';
import { slugSchema } from '@hitmachine/protocol';
import type { ReadSettings, SettingsKind } from '@hitmachine/service';
import {
  holdsPassword,
  parseSettings,
  postgresUrlComplaint,
  readSettings,
  serverSchema,
} from '@hitmachine/service';
import { z } from 'zod';
import { consoleSchema } from './console-config.ts';
import { holdsRedisPassword, redisUrlsComplaint } from './redis-url.ts';
import { tlsSchema } from './tls-files.ts';

const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

function parseListen(text: string): Address | undefined {
  const [, ipv6, host, port] = LISTEN.exec(text) ?? [];
  const address = ipv6 ?? host;
  return address === undefined || Number(port) > 65_535 ? undefined : { host: address, port: Number(port) };
}

/** `host:port`, with an IPv6 address in brackets. */
export const listenSchema = z.string().transform((text, context): Address => {
  const address = parseListen(text);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: 'host:port, such as 127.0.0.1:8460' });
  return z.NEVER;
});

const listOf = (url: string | readonly string[]): readonly string[] =>
  typeof url === 'string' ? [url] : url;

/** One Redis server, or some of those that belong to one cluster. */
const redisSchema = z
  .strictObject({
    url: z
      .union([z.string(), z.array(z.string())])
      .superRefine((url, context) => {
        const urls = listOf(url);
        const complaint =
          redisUrlsComplaint(urls) ??
          (urls.some(holdsRedisPassword)
            ? 'holds a password: put the address in a file, and name that in urlFile'
            : undefined);
        if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint });
      })
      .transform(listOf)
      .optional(),
    urlFile: z.string().min(1).optional(),
    caFile: z.string().min(1).optional(),
    copies: z.int().min(0).max(5).optional(),
  })
  .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), {
    message: 'either url or urlFile, and not both',
  });
export type RedisConfig = z.infer<typeof redisSchema>;

const replicasSchema = z.strictObject({
  listen: listenSchema,
  address: z
    .string()
    .max(300)
    .refine((text) => {
      const port = parseListen(text)?.port;
      return port !== undefined && port > 0;
    }, 'host:port, as the other replicas find this one')
    .optional(),
});

/** Where Prometheus reads how the gateway is doing: this machine alone, unless told. */
const metricsSchema = z.strictObject({
  listen: listenSchema.default({ host: '127.0.0.1', port: 8469 }),
});

const databaseSchema = z.strictObject({ postgres: serverSchema(postgresUrlComplaint, holdsPassword) });

/** `gateway.yaml`. Strict: a name that is not known is a mistake, not a wish. */
export const configSchema = z
  .strictObject({
    federation: slugSchema,
    listen: listenSchema,
    keyFile: z.string().min(1).optional(),
    passphraseFile: z.string().min(1).optional(),
    database: databaseSchema.optional(),
    redis: redisSchema.optional(),
    replicas: replicasSchema.optional(),
    tls: tlsSchema.optional(),
    console: consoleSchema.optional(),
    metrics: metricsSchema.optional(),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .refine(({ keyFile, passphraseFile }) => (keyFile === undefined) !== (passphraseFile === undefined), {
    message: 'either keyFile or passphraseFile, and not both',
    path: ['keyFile'],
  })
  .refine(({ replicas, redis, database }) => replicas === undefined || (redis && database) !== undefined, {
    message: 'several replicas share PostgreSQL and Redis: fill in database and redis too',
    path: ['replicas'],
  });
export type GatewayConfig = z.infer<typeof configSchema>;

/** gateway.yaml, of which the environment may change some: `HIT_GATEWAY_LISTEN` is `listen`. */
const gatewaySettings: SettingsKind<GatewayConfig> = {
  schema: configSchema,
  environment: { prefix: 'HIT_GATEWAY_', others: ['HIT_GATEWAY_DIR'] },
  missing: 'run "hit-gateway init" first, or give the right --dir',
};

/** Checks the text of a configuration file. Throws `config-invalid`: one line a mistake, with place and field. */
export const parseConfig = (text: string, file: string): GatewayConfig =>
  parseSettings(gatewaySettings, text, file).settings;

/** Reads and checks a configuration file. Throws `config-invalid`. */
export const readConfig = (path: string): GatewayConfig => readPlacedConfig(path).settings;

/** The same, with where each setting comes from. */
export const readPlacedConfig = (path: string): ReadSettings<GatewayConfig> =>
  readSettings(gatewaySettings, path, basename(path));
