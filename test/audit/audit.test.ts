import { describe, expect, it } from 'vitest';
import { killTheGateway } from './kill.ts';
import { Operator } from './operator.ts';
import { tamper, tamperTable } from './tamper.ts';

/** The same as `npm run test:audit`, with a shorter log and fewer kills. */
const ENTRIES = 300;
const KILLS = 3;
const MINUTES = 60_000;

const silent = (): void => undefined;

describe('an auditor', () => {
  it(
    'finds every kind of tampering, with the entry',
    async () => {
      const results = await tamper(ENTRIES, silent, false);
      expect(tamperTable(results.filter(({ missed }) => missed.length > 0))).toEqual([]);
      expect(results.length).toBeGreaterThanOrEqual(30);
    },
    3 * MINUTES,
  );
});

describe('a gateway that is killed under load', () => {
  it(
    'has every entry that an asker holds a receipt of',
    async () => {
      const result = await killTheGateway(KILLS, silent);
      expect(result.receipts).toBeGreaterThan(KILLS);
      expect(result.entries).toBeGreaterThanOrEqual(result.receipts);
      expect(result.missing).toBe(0);
    },
    2 * MINUTES,
  );

  it(
    'would be found out if it lost them',
    async () => {
      const { missing, receipts } = await killTheGateway(2, silent, (path) => {
        const operator = new Operator(path, new Uint8Array(32));
        const first = operator.entries.findIndex(({ event }) => event === 'lookup');
        operator.change((leaves) => leaves.splice(first));
        operator.database.exec('DELETE FROM checkpoint');
        operator.close();
      });
      expect(receipts).toBeGreaterThan(0);
      expect(missing).toBe(receipts);
    },
    2 * MINUTES,
  );
});
