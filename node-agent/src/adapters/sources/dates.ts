const ISO_TIME = /^(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}.*$/;
const ANY = [
  /^(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})$/,
  /^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$/,
  /^(?<d>\d{1,2})[-/.](?<m>\d{1,2})[-/.](?<y>\d{4})$/,
];

/**
 * Reads dates as a source writes them. Without formats it leaves them as they are, but for the time that databases put
 * behind a day; with formats it gives yyyymmdd, or undefined for what fits none of them.
 */
export function dateReader(formats: readonly string[] | undefined): (text: string) => string | undefined {
  if (formats === undefined) return (text) => ISO_TIME.exec(text)?.[1] ?? text;
  const patterns = formats.map(patternOf);
  return (text) => {
    for (const pattern of patterns) {
      const { y, m, d } = pattern.exec(text)?.groups ?? {};
      if (y !== undefined) return `${y}${(m ?? '').padStart(2, '0')}${(d ?? '').padStart(2, '0')}`;
    }
    return undefined;
  };
}

const PARTS: Readonly<Record<string, string>> = {
  yyyy: '(?<y>\\d{4})',
  mm: '(?<m>\\d{2})',
  m: '(?<m>\\d{1,2})',
  dd: '(?<d>\\d{2})',
  d: '(?<d>\\d{1,2})',
};

function patternOf(format: string): RegExp {
  const source = format.replace(/yyyy|mm?|dd?|[^a-z]/g, (part) => PARTS[part] ?? `\\${part}`);
  return new RegExp(`^${source}(?:[T ]\\d{2}:\\d{2}.*)?$`);
}

/** A day that exists, in days since 1970; undefined for any other text. */
export function dayOf(text: string | undefined): number | undefined {
  for (const pattern of ANY) {
    const groups = pattern.exec(text ?? '')?.groups;
    if (groups === undefined) continue;
    const [year, month, day] = ['y', 'm', 'd'].map((part) => Number(groups[part])) as [
      number,
      number,
      number,
    ];
    const at = new Date(Date.UTC(year, month - 1, day));
    if (year < 1_900 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return undefined;
    return at.getTime() / 86_400_000;
  }
  return undefined;
}
