import { askingTexts } from './en-asking.ts';
import { entryTexts } from './en-entries.ts';
import { pageTexts } from './en-pages.ts';
import type { Texts } from './nl.ts';

export const en: Texts = { ...pageTexts, ...entryTexts, ...askingTexts };
