import type { Language } from '@hitmachine/web';
import { en } from './en.ts';
import type { Texts } from './nl.ts';
import { nl } from './nl.ts';

const TEXTS: Readonly<Record<Language, Texts>> = { nl, en };

export const textsOf = (language: Language): Texts => TEXTS[language];
