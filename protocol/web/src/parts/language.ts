/** Languages of the screens, the first one unless another is chosen. */
export const LANGUAGES = ['nl', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

const LOCALES: Readonly<Record<Language, string>> = { nl: 'nl-NL', en: 'en-GB' };

/** The time zone of the screens: that of the people who read them. */
export const TIME_ZONE = 'Europe/Amsterdam';

export const isLanguage = (text: string | undefined): text is Language =>
  LANGUAGES.some((language) => language === text);

/** 1.234 or 1,234. */
export const numberText = (language: Language, value: number): string =>
  new Intl.NumberFormat(LOCALES[language]).format(value);

/** A share from 0 to 1 as a whole percentage. */
export const percentText = (language: Language, share: number): string =>
  new Intl.NumberFormat(LOCALES[language], { style: 'percent' }).format(share);

/** Date and time to the second, in the zone of the screens; `time` in milliseconds since 1970. */
export const timeText = (language: Language, time: number): string =>
  new Intl.DateTimeFormat(LOCALES[language], {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZone: TIME_ZONE,
  }).format(time);

/** 24 nov 2026, for a day that is written yyyy-mm-dd. */
export const dayText = (language: Language, day: string): string =>
  new Intl.DateTimeFormat(LOCALES[language], {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(Date.parse(day));

/** 24 nov, where the year is clear. */
export const shortDayText = (language: Language, day: string): string =>
  new Intl.DateTimeFormat(LOCALES[language], { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(
    Date.parse(day),
  );
