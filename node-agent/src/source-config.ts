import { z } from 'zod';

/** How a file of text is encoded; `auto` looks at it. */
export const ENCODINGS = ['auto', 'utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'windows-1252'] as const;

const encoding = z
  .preprocess(
    (value) => (value === 'latin-1' || value === 'iso-8859-1' ? 'windows-1252' : value),
    z.enum(ENCODINGS),
  )
  .default('auto');
const delimiter = z
  .union([z.literal('auto'), z.literal('tab').transform(() => '\t'), z.string().length(1)])
  .refine((value) => !['"', '\n', '\r', ' '].includes(value), 'auto, tab, or one character such as ; , or |')
  .default('auto');

/** A date format: yyyy, mm or m, dd or d, each once, with anything but letters between them. */
const dateFormat = z
  .string()
  .regex(
    /^(?=.*yyyy)(?=.*m)(?=.*d)(yyyy|mm?|dd?|[-/. ])+$/,
    'yyyy, mm (or m) and dd (or d), with - / . or a space between them: dd-mm-yyyy',
  );

const csv = z.strictObject({ file: z.string().min(1), delimiter, encoding });
const jsonLines = z.strictObject({ file: z.string().min(1), encoding });
const sql = z.strictObject({
  /** A file (chmod 600) that holds the address: postgres://USER:PASSWORD@HOST/DATABASE. */
  urlFile: z.string().min(1),
  query: z.string().min(1),
  /** Seconds that one statement may take. */
  statementTimeoutSeconds: z.int().min(1).max(86_400).default(600),
});
const stdin = z.strictObject({ format: z.enum(['csv', 'jsonLines']).default('csv'), delimiter, encoding });

const push = z.strictObject({
  /** Seconds in which changes are collected before new tables are made of them all. */
  pauseSeconds: z.int().min(1).max(86_400).default(300),
});

const KINDS = ['csv', 'jsonLines', 'sql', 'stdin', 'push'] as const;

/** Where the clients of a register come from. Strict: a misspelt setting is an error, not a default. */
export const sourceSchema = z
  .strictObject({
    csv: csv.optional(),
    jsonLines: jsonLines.optional(),
    sql: sql.optional(),
    stdin: stdin.optional(),
    /** Systems of the agency push clients, one by one, to the agent's API. */
    push: push.optional(),
    /** The heading, member or column of the source under which each of ours stands. */
    columns: z.record(z.string().min(1), z.string().min(1)).optional(),
    /** Values that every client of the register has. */
    fixed: z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).optional(),
    /** How the source writes dates; without it as `hit-agent import --help` lists them. */
    dateFormats: z.array(dateFormat).min(1).optional(),
    ignoreUnknownColumns: z.boolean().default(false),
    /** A folder beside the source, never in the agent's directory: unchanged clients need not be made anew. */
    cache: z.string().min(1).optional(),
    /** When it is imported by the running agent: at a time of day in the Netherlands, or again and again. */
    schedule: z
      .string()
      .regex(
        /^(([01]\d|2[0-3]):[0-5]\d|every [1-9]\d{0,3} minutes?)$/,
        'a time of day ("06:30", Dutch time) or "every 15 minutes"',
      )
      .optional(),
    /** Import the file whenever it is another one. */
    watch: z.boolean().default(false),
  })
  .refine(({ watch, csv: table, jsonLines: lines }) => !watch || (table ?? lines) !== undefined, {
    path: ['watch'],
    message: 'only a file can be watched: csv or jsonLines; for others there is schedule',
  })
  .refine(
    ({ schedule, stdin: stream, push: pushed }) => schedule === undefined || (stream ?? pushed) === undefined,
    {
      path: ['schedule'],
      message: 'this comes when somebody sends it: leave schedule out',
    },
  )
  .refine((source) => KINDS.filter((kind) => source[kind] !== undefined).length === 1, {
    message: `exactly one of ${KINDS.join(', ')}`,
  });
export type SourceConfig = z.infer<typeof sourceSchema>;

/** How the fields of a source are read, whatever kind it is. */
export type FieldMapping = Partial<
  Pick<SourceConfig, 'columns' | 'fixed' | 'dateFormats' | 'ignoreUnknownColumns'>
>;
