const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})(\\{(?:${LABEL}(?:,${LABEL})*)?,?\\})? (\\S+)(?: (-?\\d+))?$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as its documentation is: every sample belongs to a
 * metric whose type was told before it, none stands twice, the buckets of a histogram only grow and end with +Inf.
 * Gives the samples by name and labels. Throws with the offending line.
 */
export function readExposition(text: string): Map<string, number> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '') continue;
    if (line.startsWith('#')) {
      const [, kind, name, rest] = COMMENT.exec(line) ?? [];
      if (kind === undefined) throw new Error(`not a comment of the format: ${line}`);
      if (kind === 'TYPE') {
        if (!TYPES.includes(rest!) || types.has(name!))
          throw new Error(`a type that is none, or twice: ${line}`);
        types.set(name!, rest!);
      }
      continue;
    }
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    const owner = [...types].find(([metric, type]) =>
      (SUFFIXES[type] ?? ['']).some((suffix) => name === metric + suffix),
    );
    if (owner === undefined) throw new Error(`a sample without a type: ${line}`);
    const number = value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
    if (Number.isNaN(number) && value !== 'NaN') throw new Error(`not a number: ${line}`);
    if (samples.has(name + labels)) throw new Error(`a sample twice: ${line}`);
    samples.set(name + labels, number);
  }
  checkHistograms(types, samples);
  return samples;
}

function checkHistograms(types: ReadonlyMap<string, string>, samples: ReadonlyMap<string, number>): void {
  for (const [metric, type] of types) {
    if (type !== 'histogram') continue;
    const buckets = [...samples].filter(([name]) => name.startsWith(`${metric}_bucket`));
    let last = 0;
    for (const [name, count] of buckets) {
      if (count < last) throw new Error(`a bucket that holds less than the one before it: ${name}`);
      last = name.includes('le="+Inf"') ? 0 : count;
    }
    const ends = buckets.filter(([name]) => name.includes('le="+Inf"')).length;
    const counts = [...samples.keys()].filter((name) => name.startsWith(`${metric}_count`)).length;
    if (ends !== counts) throw new Error(`${metric} does not end with +Inf`);
  }
}
