import {
  ASKED_ABOUT_REGISTER,
  LIMITS,
  contactSchema,
  kemSchema,
  registerSchema,
  tokenTypeSchema,
} from '@hitmachine/protocol';
import type { ReadSettings, SettingsKind } from '@hitmachine/service';
import { holdsPassword, postgresUrlComplaint, readSettings, serverSchema } from '@hitmachine/service';
import { safeUrlSchema } from '@hitmachine/web/settings';
import { z } from 'zod';
import { caseSystemsSchema } from './case-systems-config.ts';
import { deskSchema } from './desk-config.ts';
import { gatewaySchema, proxySchema } from './gateway-config.ts';
import { sourceSchema } from './source-config.ts';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** `host:port` on loopback; port 0 takes a free one. */
export const listenSchema = z
  .string()
  .regex(/^(.+):(\d{1,5})$/, 'a host and a port with a colon between them: 127.0.0.1:8461')
  .transform((value) => {
    const at = value.lastIndexOf(':');
    return { host: value.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(value.slice(at + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'a port is at most 65535')
  .refine(
    ({ host }) => LOOPBACK.includes(host),
    'a loopback address (127.0.0.1 or [::1]): put a reverse proxy with TLS in front to reach it from elsewhere',
  );

/** agent.yaml. Strict: a misspelt setting is an error, not a default. */
export const configSchema = z
  .strictObject({
    /** Where the agency's own API listens. */
    listen: listenSchema.default({ host: '127.0.0.1', port: 8461 }),
    /** What opens the key store: a file of 32 random bytes, or one that holds a passphrase. */
    keyFile: z.string().min(1).optional(),
    passphraseFile: z.string().min(1).optional(),
    /** A PostgreSQL database in the place of the file in the directory; several replicas of the agent may share it. */
    database: z.strictObject({ postgres: serverSchema(postgresUrlComplaint, holdsPassword) }).optional(),
    gateway: gatewaySchema,
    /** The proxy on the way to the gateway and to the agency's own services; that of the environment when left out. */
    proxy: proxySchema.optional(),
    /** The agency's identity provider, authorisation server and collector of traces, which are reached over the same proxy. */
    ownServices: z
      .strictObject({
        /** The certificates of authorities that may vouch for them beside the usual ones, in PEM. */
        caFile: z.string().min(1).optional(),
      })
      .prefault({}),
    /** Key encapsulation of this agency's session key. */
    kem: kemSchema.default('mlkem768-x25519'),
    registers: z
      .array(
        registerSchema.omit({ tableBits: true }).extend({
          /** Where its clients come from; without it from the file that an import names. */
          source: sourceSchema.optional(),
          /** A file with the references of clients who never match, one on each line. */
          protected: z.strictObject({ file: z.string().min(1) }).optional(),
          /** Percent of its clients that an import may take away at most; 20 unless told. */
          maxShrink: z.number().min(0).max(100).optional(),
        }),
      )
      // One less than a roster takes: every agency has the register of the persons it asked about beside them.
      .max(LIMITS.registersPerAgency - 1)
      .default([]),
    /** Whom a person calls who wants to know why this agency asked about him or her. */
    privacyOfficer: contactSchema.omit({ openingHours: true }).optional(),
    subjectAccess: z
      .strictObject({
        /** How long it takes at most before a person who was asked about can be told so; a day makes tables anyway. */
        refreshHours: z.number().positive().max(24).default(24),
        /**
         * Identifiers that this agency may use when it asks, and remembers whom it asked about by: all of the
         * federation's when left out. For a partner without the right to use a number.
         */
        tokenTypes: z.array(tokenTypeSchema).min(1).max(LIMITS.tokenTypes).optional(),
      })
      .prefault({}),
    log: z
      .strictObject({
        /** Days that the content of the agency's own log is kept, and the persons whom it asked about. */
        retentionDays: z.int().min(1).max(36_525).default(1_826),
      })
      .prefault({}),
    /**
     * Refuse evaluations without a proof. Without one, a gateway and a node that work together can use another key
     * for each lookup and learn more bits of a person every time.
     */
    requireLookupProof: z.boolean().default(true),
    /** Partners' agents that must have cosigned the gateway's log; with fewer, status tells of a problem. */
    minWitnesses: z.int().min(0).max(LIMITS.agencies).default(0),
    /** The pages of professionals and of the privacy officer, at `/desk` of the agency's own API. Without it there are none. */
    desk: deskSchema.optional(),
    /** Where traces of lookups go, without persons and outcomes: this agency's own collector. Without it nowhere. */
    telemetry: z
      .strictObject({
        otlp: z
          .strictObject({
            endpoint: safeUrlSchema,
            /** Lines `Name: value`, such as one with a key. */
            headersFile: z.string().min(1).optional(),
          })
          .optional(),
      })
      .optional(),
    /** Case systems that ask with access tokens of their own. */
    caseSystems: caseSystemsSchema.optional(),
    /** Lets a machine where a source lies hand over what became of it: registers without a source of their own here. */
    handOver: z
      .strictObject({
        /** The key that such a machine shows, which opens nothing else: at least 32 characters. */
        keyFile: z.string().min(1),
      })
      .optional(),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .refine(({ keyFile, passphraseFile }) => keyFile === undefined || passphraseFile === undefined, {
    path: ['passphraseFile'],
    message: 'either keyFile or passphraseFile, not both',
  })
  .refine(({ registers }) => new Set(registers.map(({ id }) => id)).size === registers.length, {
    path: ['registers'],
    message: 'two registers have the same id',
  })
  .superRefine(({ registers }, context) => {
    const taken = registers.findIndex(({ id }) => id === ASKED_ABOUT_REGISTER);
    if (taken >= 0)
      context.addIssue({
        code: 'custom',
        path: ['registers', taken, 'id'],
        message: `"${ASKED_ABOUT_REGISTER}" is the register of the persons whom an agency asked about; every agent keeps it by itself: choose another id`,
      });
  });

export type Config = z.infer<typeof configSchema>;
/** A register as the configuration describes it. */
export type ConfiguredRegister = Config['registers'][number];
/** What reading a register's source takes of that. */
export type ImportedRegister = Pick<
  ConfiguredRegister,
  'id' | 'tokenTypes' | 'source' | 'protected' | 'maxShrink'
>;

/** agent.yaml, of which the environment may change some: `HIT_AGENT_LOG__RETENTION_DAYS` is `log.retentionDays`. */
export const agentSettings: SettingsKind<Config> = {
  schema: configSchema,
  environment: { prefix: 'HIT_AGENT_', others: ['HIT_AGENT_DIR'] },
  missing: 'run "hit-agent init" first',
};

/** Reads and checks agent.yaml. Throws `config-invalid` with the file, every offending field and the cure. */
export const readConfig = (file: string): Config => readPlacedConfig(file).settings;

/** The same, with where each setting comes from. */
export const readPlacedConfig = (file: string): ReadSettings<Config> => readSettings(agentSettings, file);

/** What `init` writes when there is no agent.yaml yet. */
export const CONFIG_TEMPLATE = `# Settings of this agency's node agent. Every name is checked: a misspelt one is an error.

# Where the agency's own API listens: this machine only.
listen: 127.0.0.1:8461

# How the gateway is reached. Connections go out from here only.
# gateway:
#   urls: [https://gateway-1.example, https://gateway-2.example]  # replicas; unless given, the address of the enrolment
#   connections: 2
#   tls:
#     caFile: gateway-ca.pem     # where a private authority vouches for the gateway
#     certFile: agent-cert.pem   # where the gateway wants a certificate of this agent
#     keyFile: agent-key.pem
# proxy: http://proxy.gemeente.example:3128   # unless given: HTTPS_PROXY and NO_PROXY; none for no proxy
# or with more:
# proxy:
#   url: https://proxy.gemeente.example:3129
#   credentialsFile: proxy-credentials   # name:password
#   caFile: proxy-ca.pem
#   except: [.intern.gemeente.example, 10.0.0.0/8]   # reached without it

# The agency's identity provider, authorisation server and collector, where a private authority vouches for them. They are
# reached over the proxy too, unless it excepts them; PostgreSQL never is.
# ownServices:
#   caFile: gemeente-ca.pem

# What opens the key store: a file of random bytes, or a passphrase in a file (passphraseFile).
keyFile: key-file

# A PostgreSQL database in the place of agent.sqlite, that the agent's user owns: two replicas of this agent may share it.
# urlFile names a file (chmod 600) with the address: postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full
# database:
#   postgres:
#     urlFile: postgres-url

# The registers that this agency answers from. Keep the ids: other agencies address registers by them.
registers: []
#  - id: schuldhulp
#    name: Schuldhulpverlening
#    areaOfLife: inkomen
#    tokenTypes: [bsn, name+birthdate]
#    # Where "hit-agent import --register schuldhulp" takes the clients from, and when it is done by itself:
#    source:
#      csv:
#        file: /srv/export/clienten.csv
#      columns: { bsn: BSN, surname: Achternaam, givenNames: Voornamen, birthDate: Geboortedatum }  # of ours, the file's
#      schedule: "06:30"                  # Dutch time; or: every 15 minutes
#      cache: /srv/export/hitmachine-cache  # beside the source: clients who did not change cost nothing
#      # in the place of csv, an SQL query; urlFile (chmod 600) holds the address of the database:
#      # sql: { urlFile: clients-url, query: "SELECT bsn, achternaam FROM clienten" }
#      # or what systems push to this agent's API, without schedule and cache:
#      # push: {}
#    protected:
#      file: /srv/export/protected.txt    # references of clients who never match, one a line
#    maxShrink: 20                        # percent of its clients that an import may lose unless forced
#    contact:
#      name: Team Schuldhulp
#      telephone: "14 000"
#      email: schuldhulp@gemeente.example
#      openingHours: werkdagen 9-17 uur

# Whom a person calls who wants to know why this agency asked about him or her.
# privacyOfficer:
#   name: Functionaris gegevensbescherming
#   telephone: "14 000"
#   email: fg@gemeente.example

subjectAccess:
  # Hours until a person who was asked about can be told so, at most 24.
  refreshHours: 24
  # The identifiers that this agency may ask by, if not all: leave out bsn where there is no right to use it.
  # tokenTypes: [name+birthdate, address]

log:
  # Days that the log keeps what was asked and answered, and about whom. Afterwards the content is removed.
  retentionDays: 1826

# Partners whose agents must have cosigned the gateway's log within five minutes; with fewer, status tells of it.
minWitnesses: 0

# Traces of lookups (when, how long, whether complete; no persons, no outcomes) to a collector of the agency's own, over
# OTLP/HTTP. headersFile: lines "Name: value", such as one with a key; only this account may read it.
# telemetry:
#   otlp:
#     endpoint: https://collector.gemeente.example/v1/traces
#     headersFile: collector-headers

# A machine where a source lies may hand over what became of it ("hit-agent hand-over"), with this key and nothing else.
# handOver:
#   keyFile: hand-over-key      # from: openssl rand -base64 32; only this account may read it

# The pages of professionals and of the privacy officer at /desk, behind a reverse proxy with TLS. Register the agent at
# the agency's own identity provider (OpenID Connect) with the redirect address BASEURL/desk/login/done.
# desk:
#   baseUrl: https://hitmachine.gemeente.example
#   issuer: https://login.gemeente.example
#   clientId: hitmachine
#   clientSecretFile: client-secret        # or clientKeyFile: a private key in PEM; only this account may read it
#   roleClaim: roles                       # where the roles stand in the token, such as realm_access.roles
#   privacyOfficerRole: privacy-officer
#   roles:                                 # who asks: for each role of the federation, those at the identity provider
#     case-worker: [casusregisseur, wijkteam]
#   sessionMinutes: 60
`;
