import { z } from 'zod';

/** Elements in one line of a hand-over, and in one request for their evaluation. */
export const HANDED_AT_ONCE = 256;

const base64url = z.string().regex(/^[\w-]+$/, 'base64url');
/** The time of the import that the register holds, in milliseconds since 1970; null for none. */
const base = z.int().min(0).nullable();

/** What a machine with the source has to know of a register before it makes anything. */
export const handedContentSchema = z.strictObject({
  register: z.string().describe('The register.'),
  tokenTypes: z.array(z.string()).describe('The identifiers that its clients are matched on.'),
  evaluationKey: z
    .string()
    .describe("The gateway's evaluation key (base64url) that proofs are held against."),
  base: base.describe(
    'When the content of the register was imported (milliseconds since 1970); `null` for none. A difference is against this content.',
  ),
  clients: z.int().describe('How many clients it has.'),
  maxShrink: z.number().describe('Percent of them that may go at once, unless it is forced.'),
});
export type HandedContent = z.infer<typeof handedContentSchema>;

/** The first line of a hand-over. */
export const beginSchema = z.strictObject({
  type: z.literal('begin'),
  evaluationKey: base64url,
  /** The content that is replaced, as it was told. */
  base,
  /** Whether what follows is a difference to that content, or all. */
  difference: z.boolean(),
  clients: z.int().min(0),
  allowShrink: z.boolean(),
  dryRun: z.boolean(),
});
export type HandOverBegin = z.infer<typeof beginSchema>;

const elements = base64url.max(Math.ceil((HANDED_AT_ONCE * 32 * 4) / 3) + 2);
const tokenType = z.string().min(1).max(64);

/** Some E = k_g·H(y) of a token type: first all that vanish, then those that come, the last day of each beside it. */
export const partSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('remove'), tokenType, elements }),
  z.strictObject({
    type: z.literal('add'),
    tokenType,
    elements,
    /** Days since 1970. */
    until: z.array(z.int().min(0).max(3_000_000).nullable()).max(HANDED_AT_ONCE),
  }),
  /** The last line: without it the hand-over was cut off. */
  z.strictObject({ type: z.literal('end'), elements: z.int().min(0) }),
]);
export type HandOverPart = z.infer<typeof partSchema>;

/** What came of a hand-over. */
export const handedOverSchema = z.strictObject({
  register: z.string().describe('The register.'),
  base: base.describe('The content that it holds now: what the next difference is against.'),
  added: z.int().describe('Pseudonyms that are new.'),
  removed: z.int().describe('Pseudonyms that are gone.'),
  unchanged: z.int().describe('Pseudonyms that stayed.'),
});
export type HandedOver = z.infer<typeof handedOverSchema>;
