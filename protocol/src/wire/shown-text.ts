import { z } from 'zod';

const SHOWN = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u;

/**
 * What others show on their screens. A control character, or one that turns the direction of writing, could rewrite
 * the lines around it: "no answer" of another agency could be made to read "not known".
 */
const shown = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(SHOWN, 'one line of text, without characters that control the screen')
    // A description of the API would have it with its flag, which is no part of a pattern there.
    .meta({ pattern: SHOWN.source });

export const shortText = shown(200);
export const longText = shown(2_000);

/** The same in both languages of the screens. */
export const shortTexts = z.strictObject({ nl: shortText, en: shortText });
export const longTexts = z.strictObject({ nl: longText, en: longText });
