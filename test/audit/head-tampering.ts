import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RosterPayload, SignedDocument } from '@hitmachine/protocol';
import {
  POLICY_KIND,
  ROSTER_KIND,
  addSignatures,
  cosign,
  decodeBase64,
  encodeBase64,
  encodeEntry,
  formatNote,
  parseNote,
  parseReceipt,
  policySchema,
  rosterSchema,
  signDocument,
  tilePath,
  witnessName,
} from '@hitmachine/protocol';
import { sha256 } from '../../gateway/src/domain/sha256.ts';
import { bundleOf } from '../../gateway/src/verify/export-folder.ts';
import { backend, random } from '../gateway/support/fixtures.ts';
import type { Copy } from './detectors.ts';
import type { Operator } from './operator.ts';
import { changed } from './operator.ts';
import type { RealLog } from './real-log.ts';
import { FEDERATION } from './real-log.ts';
import type { Lookup, Tampered, Tampering } from './tampering.ts';
import { at, forged, late, operate } from './tampering.ts';

/** What a gateway's operator can do to the log as a whole: its end, its checkpoints, its rosters, and what he hands out. */
export const HEAD_TAMPERINGS: readonly Tampering[] = [
  {
    kind: 'truncated',
    done: 'the last 50 entries leave the database; the checkpoint stays',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        operator.change((leaves) => leaves.splice(-50));
        return { expected: [['hit-verify', /^no export: the entries from \d+ on are not in the database/]] };
      }),
  },
  {
    kind: 'truncated, signed anew',
    done: 'the last 50 entries are gone, and a checkpoint of what is left is signed',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const size = operator.leaves.length - 50;
        const lost = operator.entries.findLastIndex(({ event }) => event === 'lookup');
        operator.change((leaves) => leaves.splice(-50));
        operator.sign();
        return {
          expected: [
            ['receipt holder', at(lost)],
            ['witness', new RegExp(`rollback: it cosigned ${size + 50} entries, and is shown ${size}`)],
          ],
        };
      }),
  },
  {
    kind: 'roster swapped',
    done: 'another roster, signed by the gateway, in the place of the one that was logged',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.entries.findLastIndex(({ event }) => event === 'roster');
        swapRoster(operator, log);
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'policy swapped',
    done: 'a roster with another policy that no entry tells of; digest, hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.entries.findLastIndex(({ event }) => event === 'roster');
        const payload = swapRoster(operator, log, (roster) => ({ ...roster, policy: laxer(roster, log) }));
        const digest = encodeBase64(sha256(decodeBase64(payload)));
        operator.change(
          (leaves) =>
            (leaves[i] = changed(leaves[i] as Uint8Array, { digest, changed: ['policy', 'agencies'] })),
        );
        operator.sign();
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'roster swapped, signed anew',
    done: 'a roster with a key of the operator for an agency; digest, hashes and checkpoint follow',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const i = operator.entries.findLastIndex(({ event }) => event === 'roster');
        const payload = swapRoster(operator, log);
        const digest = encodeBase64(sha256(decodeBase64(payload)));
        operator.change(
          (leaves) =>
            (leaves[i] = changed(leaves[i] as Uint8Array, {
              digest,
              changed: ['agencies', 'agency-keys', 'registers'],
            })),
        );
        operator.sign();
        return { expected: [['hit-verify', at(i)]] };
      }),
  },
  {
    kind: 'rolled back',
    done: 'an older copy of the database is put back and goes on with new entries',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const keep = Math.floor(operator.leaves.length * 0.7);
        const lost = operator.entries.findIndex((entry, i) => i >= keep && entry.event === 'lookup');
        const { agency } = log.party('politie');
        const { lookupId } = operator.entries[lost] as Lookup;
        const like = operator.entries[late(operator, 'lookup', 0.5)] as Lookup;
        operator.change((leaves) => {
          const length = leaves.length;
          leaves.splice(keep);
          const last = operator.entries[keep - 1]?.at ?? 0;
          while (leaves.length < length + 5)
            leaves.push(encodeEntry(forged('politie', agency.seed, last + 1_000, like)));
        });
        operator.sign();
        return {
          receipt: copy.receiptOf(lookupId),
          expected: [
            ['witness', /refused|fork/],
            ['receipt holder', at(lost)],
            ['hit-verify', /cosigned by 0/],
          ],
        };
      }),
  },
  {
    kind: 'split view',
    done: 'two logs of the same length, one for each of two witnesses',
    apply: async (copy, log) => {
      const { path: first } = await copy.export();
      const i = operate(copy, log, (operator) => {
        const index = late(operator, 'answer');
        operator.change(
          (leaves) => (leaves[index] = changed(leaves[index] as Uint8Array, { milliseconds: 59_999 })),
        );
        operator.sign();
        return index;
      });
      // The other witness signs what it is shown; the first hears of it through any partner.
      operate(copy, log, (operator) => {
        const { agency } = log.party('ggz');
        const { size, note } = operator.published;
        const name = witnessName(FEDERATION, 'ggz');
        const line = cosign(backend, agency.seed, name, parseNote(note), Math.floor(log.now() / 1000));
        operator.publish(size, addSignatures(note, [line]));
      });
      const { path: second } = await copy.export();
      const both = await copy.verify(second, '--earlier', first);
      if (!at(i).test(both.named) && !/^entry \d+/.test(both.named))
        return { expected: [['earlier export', /never/]] };
      return { exported: second, witness: 'politie', expected: [['witness', /fork/]] };
    },
  },
  {
    kind: 'checkpoint signed with another key',
    done: 'the log as it is, under a checkpoint that a key signed which was withdrawn',
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        operator.sign(random(32));
        return {
          expected: [
            ['hit-verify', /not signed by/],
            ['witness', /refused/],
          ],
        };
      }),
  },
  {
    kind: 'cosignature of a removed agency',
    done: 'the only cosignature is by an agency that was taken off',
    apply: (copy, log) => cosignedBy(copy, log, 'reclassering', log.party('reclassering').agency.seed),
  },
  {
    kind: 'cosignature by a replaced key',
    done: 'the only cosignature is by the key that an agency had before it enrolled anew',
    apply: (copy, log) => cosignedBy(copy, log, 'ggz', log.formerSeed),
  },
  {
    kind: 'forged cosignature',
    done: "the cosignature in an agency's name is of another log",
    apply: (copy, log) =>
      operate(copy, log, (operator) => {
        const { size, note } = operator.published;
        const parsed = parseNote(note);
        const signatures = parsed.signatures.map((one) =>
          one.name === witnessName(FEDERATION, 'politie')
            ? { ...one, signature: one.signature.toReversed() }
            : one,
        );
        operator.publish(size, formatNote({ ...parsed, signatures }));
        return { expected: [['hit-verify', /the cosignature in the name of politie is not by politie/]] };
      }),
  },
  {
    kind: 'receipt for another entry',
    done: "a lookup's receipt is handed out with the entry of another one",
    apply: (copy, log) => {
      const [first, second] = [...log.receipts.values()].slice(-2) as [string, string];
      const { index } = parseReceipt(second.slice(second.indexOf('\n') + 1));
      const file = join(copy.folder, `receipt-for-${index}`);
      writeFileSync(file, first.slice(0, first.indexOf('\n')) + second.slice(second.indexOf('\n')));
      return {
        receipt: file,
        expected: [['receipt holder', new RegExp(`receipt-for-${index}: the proof does not show the entry`)]],
      };
    },
  },
  {
    kind: 'files of an export',
    done: 'a bundle of entries is missing from the folder that the auditor gets',
    apply: async (copy) => {
      const { path } = await copy.export();
      rmSync(join(path, tilePath(bundleOf(0, 1_000_000))), { force: true });
      const { size } = JSON.parse(readFileSync(join(path, 'export.json'), 'utf8')) as { size: number };
      rmSync(join(path, tilePath(bundleOf(0, size))), { force: true });
      return { exported: path, expected: [['hit-verify', /^entries 0 to \d+: .* is missing/]] };
    },
  },
  {
    kind: 'file of an export altered',
    done: 'one byte of a signature in a bundle of entries is another one',
    apply: async (copy, log) => {
      const { path } = await copy.export();
      const other = join(copy.folder, 'altered');
      cpSync(path, other, { recursive: true });
      const i = operate(copy, log, (operator) => late(operator, 'lookup'));
      const { size } = JSON.parse(readFileSync(join(path, 'export.json'), 'utf8')) as { size: number };
      const file = join(other, tilePath(bundleOf(i, size)));
      const bytes = readFileSync(file);
      const leaf = operate(copy, log, (operator) => Buffer.from(operator.leaves[i] as Uint8Array));
      const place = bytes.indexOf(leaf) + leaf.length - 20;
      bytes[place] = bytes[place] === 0x41 ? 0x42 : 0x41;
      writeFileSync(file, bytes);
      return { exported: other, expected: [['hit-verify', at(i)]] };
    },
  },
];

/** A policy that lets a professional ask without end, signed by the gateway. */
function laxer(roster: RosterPayload, log: RealLog): SignedDocument {
  const policy = policySchema.parse(
    JSON.parse(new TextDecoder().decode(decodeBase64(roster.policy.payload))),
  );
  const lax = { ...policy, quotas: { agency: { day: 1_000_000_000 }, professional: { day: 1_000_000_000 } } };
  return signDocument(backend, POLICY_KIND, lax, { keyId: 'gateway', seed: log.identitySeed });
}

/** A key of the operator for an agency. */
function withOperatorsKey(roster: RosterPayload): RosterPayload {
  const identityKey = encodeBase64(backend.signatures.publicKey(random(32)));
  const agencies = roster.agencies.map((agency) =>
    agency.id === 'politie' ? { ...agency, identityKey } : agency,
  );
  return { ...roster, agencies };
}

/** Signs another roster of the newest version; gives its payload. */
function swapRoster(
  operator: Operator,
  log: RealLog,
  change: (roster: RosterPayload) => RosterPayload = withOperatorsKey,
): string {
  const row = operator.database
    .prepare('SELECT version, document FROM roster ORDER BY version DESC LIMIT 1')
    .get();
  const { payload } = JSON.parse(String(row?.['document'])) as { payload: string };
  const roster = rosterSchema.parse(JSON.parse(new TextDecoder().decode(decodeBase64(payload))));
  const key = { keyId: 'gateway', seed: log.identitySeed };
  const document = signDocument(backend, ROSTER_KIND, change(roster), key);
  operator.database
    .prepare('UPDATE roster SET document = ? WHERE version = ?')
    .run(JSON.stringify(document), Number(row?.['version']));
  return document.payload;
}

/** The checkpoint with one cosignature, by a key that no longer counts. */
function cosignedBy(copy: Copy, log: RealLog, agency: string, seed: Uint8Array): Tampered {
  return operate(copy, log, (operator) => {
    const note = operator.sign();
    const name = witnessName(FEDERATION, agency);
    const line = cosign(backend, seed, name, parseNote(note), Math.floor(log.now() / 1000));
    operator.publish(operator.leaves.length, addSignatures(note, [line]));
    return {
      expected: [['hit-verify', new RegExp(`cosigned by 0 of 3 .*cosignature of ${agency} does not count`)]],
    };
  });
}
