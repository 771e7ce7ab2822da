import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HitError, fieldLines, slugSchema } from '@hitmachine/protocol';
import type { Document, YAMLParseError } from 'yaml';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { consoleSchema } from './console-config.ts';
import { holdsPassword, postgresUrlComplaint } from './postgres-url.ts';
import { holdsRedisPassword, redisUrlComplaint } from './redis-url.ts';

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

/** Where a server is: its address for a file that others than the gateway may see, or the file that holds it. */
const serverSchema = (
  complaintOf: (url: string) => string | undefined,
  hasPassword: (url: string) => boolean,
) =>
  z
    .strictObject({
      url: z
        .string()
        .superRefine((text, context) => {
          const complaint =
            complaintOf(text) ??
            (hasPassword(text)
              ? 'holds a password: put the address in a file, and name that in urlFile'
              : undefined);
          if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint });
        })
        .optional(),
      urlFile: z.string().min(1).optional(),
    })
    .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), {
      message: 'either url or urlFile, and not both',
    });
export type ServerAddress = z.infer<ReturnType<typeof serverSchema>>;

const databaseSchema = z.strictObject({ postgres: serverSchema(postgresUrlComplaint, holdsPassword) });

/** `gateway.yaml`. Strict: a name that is not known is a mistake, not a wish. */
export const configSchema = z
  .strictObject({
    federation: slugSchema,
    listen: listenSchema,
    keyFile: z.string().min(1).optional(),
    passphraseFile: z.string().min(1).optional(),
    database: databaseSchema.optional(),
    redis: serverSchema(redisUrlComplaint, holdsRedisPassword).optional(),
    console: consoleSchema.optional(),
  })
  .refine(({ keyFile, passphraseFile }) => (keyFile === undefined) !== (passphraseFile === undefined), {
    message: 'either keyFile or passphraseFile, and not both',
    path: ['keyFile'],
  });
export type GatewayConfig = z.infer<typeof configSchema>;

/** Checks the text of a configuration file. Throws `config-invalid`: one line a mistake, with file and field. */
export function parseConfig(text: string, file: string): GatewayConfig {
  const document = parseDocument(text);
  const refuse = (lines: readonly string[], cause?: unknown): HitError =>
    new HitError('config-invalid', lines.map((line) => `${file}: ${line}`).join('\n'), { cause });
  // What comes after the first mistake mostly follows from it.
  const [mistake] = document.errors;
  if (mistake !== undefined) throw refuse([yamlMistake(mistake)]);
  const { success, data, error } = configSchema.safeParse(valueOf(document, refuse));
  if (!success) throw refuse(fieldLines(error));
  return data;
}

/** The value of a document. What begins with `*` refers to something above it, and need not be there. */
function valueOf(document: Document, refuse: (lines: string[], cause: unknown) => HitError): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw refuse(['a value that begins with * refers to nothing: put it in quotes'], cause);
  }
}

const YAML_MISTAKES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name stands here twice',
  TAB_AS_INDENT: 'there is a tab: indent with spaces',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  MISSING_CHAR: 'a quote, bracket or colon is missing, here or above',
  MULTILINE_IMPLICIT_KEY: 'a quote, bracket or colon is missing, here or above',
};

/** What is wrong with the form of a file, with the line. */
export function yamlMistake({ code, linePos }: YAMLParseError): string {
  const line = linePos === undefined ? '' : `line ${linePos[0].line}: `;
  return `${line}${YAML_MISTAKES[code] ?? 'not well-formed YAML: look at quotes, colons and indentation'}`;
}

/** Reads and checks a configuration file. Throws `config-invalid`. */
export async function readConfig(path: string): Promise<GatewayConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new HitError(
      'config-invalid',
      `${path} cannot be read: run "hit-gateway init" first, or give the right --dir`,
      { cause },
    );
  }
  return parseConfig(text, basename(path));
}
