import { entryTexts } from './en-entries.ts';
import { pageTexts } from './en-pages.ts';
import type { Texts } from './nl.ts';

/** Every word on the screens, in English. */
export const en: Texts = { ...pageTexts, ...entryTexts };
