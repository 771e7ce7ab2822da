import type { FederationFigures } from './federation-figures.ts';
import { processorAt } from './federation-figures.ts';

/** What is not measured but known or assumed. */
export const ASSUMED = {
  municipalities: 342,
  safetyHouses: 31,
  residents: 18_000_000,
  /** Police, prosecution, probation, child protection and others that work everywhere or in a region. */
  otherPartners: 127,
  /** Lookups a working day: of a municipality, and of a safety house. */
  ofMunicipality: 20,
  ofSafetyHouse: 100,
  workingDays: 250,
  /** Share of a day's lookups in its busiest hour, and how much more there may be in its busiest minute. */
  busiestHour: 0.2,
  burst: 3,
  /** Nodes that a lookup asks: those of a region and of the chain. */
  nodes: 40,
  /** Persons of a lookup: 70 % one, 30 % a household of four. Each is taken to cost a lookup of its own. */
  persons: 1.9,
  /** One resident in so many is known somewhere, in so many registers, by so many token types. */
  knownShare: 0.1,
  registersEach: 3,
  tokenTypes: 2,
  /** Share of the clients of a register that are new each day. */
  newEachDay: 0.02,
  /** Milliseconds of a gateway for one imported token: evaluation and its share in the proof. */
  importMs: 0.2,
  /** Sockets, TLS, the proxy in front and the operating system, beside what is measured here. */
  beside: 3,
  /** A processor that is busier than this makes questions wait. */
  busy: 0.5,
  /** A standby, or a second site, for each that is needed. */
  spare: 2,
} as const;

export interface CountryPlan {
  readonly nodes: number;
  readonly lookupsADay: number;
  readonly answersADay: number;
  readonly peakLookups: number;
  readonly lookupCpuMs: number;
  readonly peakCores: number;
  readonly importCoreMinutes: number;
  readonly replicas: number;
  readonly lookupBytes: number;
  readonly peakMegabits: number;
  readonly gigabytesADay: number;
  readonly diskGigabytesAYear: number;
  readonly answersADayOfANode: number;
}

/** The arithmetic of the plan. */
export function planCountry(
  figures: Pick<FederationFigures, 'at' | 'questionBytes' | 'answerBytes' | 'lookupDisk' | 'answerDisk'>,
): CountryPlan {
  const a = ASSUMED;
  const nodes = a.municipalities + a.safetyHouses + a.otherPartners;
  const lookupsADay = a.municipalities * a.ofMunicipality + a.safetyHouses * a.ofSafetyHouse;
  const peakLookups = (lookupsADay * a.busiestHour * a.burst) / 3_600;
  const lookupCpuMs = a.beside * a.persons * processorAt(figures.at, a.nodes);
  const peakCores = (peakLookups * lookupCpuMs) / 1_000;
  const lookupBytes = a.nodes * (figures.questionBytes + figures.answerBytes);
  const imported = a.residents * a.knownShare * a.registersEach * a.tokenTypes * a.newEachDay;
  return {
    nodes,
    lookupsADay,
    answersADay: lookupsADay * a.nodes,
    peakLookups,
    lookupCpuMs,
    peakCores,
    importCoreMinutes: (imported * a.importMs) / 60_000,
    replicas: a.spare * Math.max(1, Math.ceil(peakCores / a.busy)),
    lookupBytes,
    // Into the gateway and out of it.
    peakMegabits: (2 * peakLookups * lookupBytes * 8) / 1e6,
    gigabytesADay: (2 * lookupsADay * lookupBytes) / 1e9,
    diskGigabytesAYear:
      (lookupsADay * a.workingDays * (figures.lookupDisk + a.nodes * figures.answerDisk)) / 1e9,
    answersADayOfANode: (lookupsADay * a.nodes) / nodes,
  };
}

const text = (value: number): string =>
  Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 3 });

/** The plan as a page, with its arithmetic. */
export function countryPage(figures: FederationFigures): string {
  const a = ASSUMED;
  const plan = planCountry(figures);
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  return `# The whole country, on paper

Made by \`npm run bench:federation -- --write\` from what it measured; do not edit. What is measured is of two shared cores, so that another run gives other figures; what is assumed stands in \`bench/country.ts\`, to be changed.

## Assumed

- ${a.municipalities} municipalities, ${a.safetyHouses} safety houses and ${a.otherPartners} other partners: ${plan.nodes} nodes; ${whole(a.residents)} residents, one in ${1 / a.knownShare} of them known in ${a.registersEach} registers by ${a.tokenTypes} token types.
- ${a.ofMunicipality} lookups a working day of a municipality and ${a.ofSafetyHouse} of a safety house. (By hand, one city asked about 145 households in half a year.) The busiest hour has ${100 * a.busiestHour} % of them, its busiest minute ${a.burst} times as many.
- A lookup is about ${a.persons} persons in the mean and asks the ${a.nodes} nodes of a region and of the chain, not all ${plan.nodes}.
- Beside what is measured here, sockets, TLS and the operating system: ${a.beside} times as much altogether. A processor is planned to be ${100 * a.busy} % busy at most.

## Measured

| | |
| --- | --- |
| Processor of the gateway for a lookup of one person that asks ${a.nodes} nodes | ${text(processorAt(figures.at, a.nodes))} ms |
| Bytes of a question and of an answer, one person | ${whole(figures.questionBytes)} and ${whole(figures.answerBytes)} |
| Bytes of the log and its search index for a lookup and for each register asked | ${whole(figures.lookupDisk)} and ${whole(figures.answerDisk)} |

## What comes of it

| | | |
| --- | --- | --- |
| Lookups a day | ${a.municipalities} × ${a.ofMunicipality} + ${a.safetyHouses} × ${a.ofSafetyHouse} | ${whole(plan.lookupsADay)} |
| Register answers a day | ${whole(plan.lookupsADay)} × ${a.nodes} | ${whole(plan.answersADay)} |
| of which one node gives | ÷ ${plan.nodes} | ${whole(plan.answersADayOfANode)} |
| Lookups a second in the busiest minute | ${whole(plan.lookupsADay)} × ${a.busiestHour} × ${a.burst} ÷ 3,600 | ${text(plan.peakLookups)} |
| Processor of the gateway for one | ${a.beside} × ${a.persons} × ${text(processorAt(figures.at, a.nodes))} | ${text(plan.lookupCpuMs)} ms |
| Cores that are busy then | ${text(plan.peakLookups)} × ${text(plan.lookupCpuMs)} ÷ 1,000 | ${text(plan.peakCores)} |
| Gateway replicas of one core, with a spare for each | ${a.spare} × ⌈${text(plan.peakCores)} ÷ ${a.busy}⌉ | ${plan.replicas} |
| Bytes of a lookup | ${a.nodes} × (${whole(figures.questionBytes)} + ${whole(figures.answerBytes)}) | ${whole(plan.lookupBytes)} |
| Bandwidth in the busiest minute, in and out | 2 × ${text(plan.peakLookups)} × ${whole(plan.lookupBytes)} × 8 | ${text(plan.peakMegabits)} Mbit/s |
| Traffic a day | 2 × ${whole(plan.lookupsADay)} × ${whole(plan.lookupBytes)} | ${text(plan.gigabytesADay)} GB |
| Disk of the log a year | ${whole(plan.lookupsADay)} × ${a.workingDays} × (${whole(figures.lookupDisk)} + ${a.nodes} × ${whole(figures.answerDisk)}) | ${text(plan.diskGigabytesAYear)} GB |
| Imports: ${100 * a.newEachDay} % of the clients are new each day | ${whole(a.residents)} × ${a.knownShare} × ${a.registersEach} × ${a.tokenTypes} × ${a.newEachDay} × ${a.importMs} ms | ${text(plan.importCoreMinutes)} minutes of a core |

Households show fewer bits of a bucket number, so that their answers are larger: up to the whole table of a register. What asks all ${plan.nodes} nodes takes ${text(plan.nodes / a.nodes)} times the bytes and log entries of a lookup. A larger federation than one region is therefore a matter of bandwidth before it is one of processors.
`;
}
