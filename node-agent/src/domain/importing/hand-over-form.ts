import { z } from 'zod';

/** Elements in one line of a hand-over, and in one request for their evaluation. */
export const HANDED_AT_ONCE = 256;

/** The last day that is written with a year of four digits, 9999-12-31, in days since 1970. */
const LAST_DAY = 2_932_896;

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
  type: z.literal('begin').describe('`begin`: the first line.'),
  evaluationKey: base64url.describe('The evaluation key of all elements, as it was told.'),
  base: base.describe('The content that is replaced, as it was told.'),
  difference: z.boolean().describe('Whether what follows is a difference to that content, or everything.'),
  clients: z.int().min(0).describe('How many clients there are then.'),
  allowShrink: z.boolean().describe('Also when more clients than `maxShrink` would be gone.'),
});
export type HandOverBegin = z.infer<typeof beginSchema>;

const elements = base64url
  .max(Math.ceil((HANDED_AT_ONCE * 32 * 4) / 3) + 2)
  .describe('1 to 256 evaluated elements of 32 bytes, one after another, in base64url.');
const tokenType = z.string().min(1).max(64).describe('The identifier that they are of.');

/** Some E = k_g·H(y) of a token type: first all that vanish, then those that come, the last day of each beside it. */
export const partSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('remove').describe('`remove`: they vanish. Before all that come.'),
    tokenType,
    elements,
  }),
  z.strictObject({
    type: z.literal('add').describe('`add`: they come. One whose end changes is removed and added.'),
    tokenType,
    elements,
    until: z
      .array(z.int().min(0).max(LAST_DAY).nullable())
      .max(HANDED_AT_ONCE)
      .describe('The last day of each (days since 1970); `null` for one without an end.'),
  }),
  z.strictObject({
    type: z.literal('end').describe('`end`: the last line; without it the hand-over was cut off.'),
    elements: z.int().min(0).describe('How many elements were sent.'),
  }),
]);
export type HandOverPart = z.infer<typeof partSchema>;

/** What came of a hand-over. How much changed is not told: with one element, that would say whether it was there. */
export const handedOverSchema = z.strictObject({
  register: z.string().describe('The register.'),
  base: base.describe('The content that it holds now: what the next difference is against.'),
});
export type HandedOver = z.infer<typeof handedOverSchema>;
