import { askingTexts } from './nl-asking.ts';
import { entryTexts } from './nl-entries.ts';
import { pageTexts } from './nl-pages.ts';

/** Every word on the screens, in Dutch. The other language has the same names: `Texts` is its contract. */
export const nl = { ...pageTexts, ...entryTexts, ...askingTexts };
export type Texts = typeof nl;
