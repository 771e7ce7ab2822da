// Run by k6, not by Node.js: bench/load-k6.ts starts it, with the settings below in variables. Puts lookups that were signed
// beforehand at a constant rate, each of them once, whether or not earlier ones were answered.
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import { answeredIn } from './answered-reports.ts';

const { STAGE, LOOKUPS, SUMMARY, HELPER } = __ENV;
const { perMinute, seconds, patience, most, wanted } = JSON.parse(STAGE);
const lookups = new SharedArray('lookups', () => open(LOOKUPS).trim().split('\n').map(JSON.parse));

const begun = new Counter('lookups_begun');
const whole = new Counter('lookups_whole');
const answers = new Counter('register_answers');
const time = new Trend('lookup_time', true);

export const options = {
  scenarios: {
    lookups: {
      executor: 'constant-arrival-rate',
      rate: perMinute,
      timeUnit: '1m',
      duration: `${seconds}s`,
      gracefulStop: `${patience}s`,
      // A lookup that is due while so many wait is dropped, which k6 counts: nobody would wait for it.
      preAllocatedVUs: most,
      maxVUs: most,
    },
  },
  summaryTrendStats: ['med', 'p(95)', 'max', 'count'],
};

/** Says why on a line of its own, for whoever started k6: the code of a problem document, or what was said. */
function failed(step, { status, error, body }) {
  if (status === 0) return console.error(`${step}: ${error}`);
  const text = typeof body === 'string' ? body : String.fromCharCode(...new Uint8Array(body));
  console.error(`${step}: ${status} ${/"code":"([a-z-]+)"/.exec(text)?.[1] ?? text.slice(0, 200)}`);
}

export const setup = () => void http.get(`${HELPER}/begin`);
export const teardown = () => void http.get(`${HELPER}/end`);

export default function putLookup() {
  begun.add(1);
  const since = Date.now();
  const number = exec.scenario.iterationInTest;
  const { gateway, headers, body } = lookups[number];
  const opened = http.post(`${gateway}/v1/lookups`, body, { headers, tags: { name: 'open' } });
  if (opened.status !== 200) return failed('opening', opened);
  // Questions are sealed with what the gateway has just said, in the process that has the keys.
  const sealed = http.post(`${HELPER}/seal/${number}`, opened.body, {
    responseType: 'binary',
    tags: { name: 'seal' },
  });
  if (sealed.status !== 200) return failed('sealing', sealed);
  const asked = http.post(`${gateway}/v1/lookups/${opened.json('lookupId')}/questions`, sealed.body, {
    headers: {
      authorization: `Bearer ${opened.json('capability')}`,
      'content-type': 'application/octet-stream',
    },
    responseType: 'binary',
    tags: { name: 'ask' },
  });
  const took = Date.now() - since;
  if (asked.status !== 200) return failed('asking', asked);
  const answered = answeredIn(asked.body);
  answers.add(answered);
  if (answered < wanted) return console.error(`${wanted - answered} registers did not answer`);
  whole.add(1);
  time.add(took);
}

export const handleSummary = (data) => ({ [SUMMARY]: JSON.stringify(data) });
