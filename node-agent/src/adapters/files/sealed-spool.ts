import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AEAD_TAG_BYTES, HitError, uintToBytes, utf8ToBytes } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';
import type { TokenSpool } from '../../ports/token-spool.ts';
import { secureRandom } from '../../random.ts';
import { runtimeAead } from '../../runtime-backend.ts';

const LABEL = utf8ToBytes('hitmachine-v1 token-spool');
const LENGTH_BYTES = 4;

/**
 * {@link TokenSpool} in a file that nobody else can open: it has no name any more once it is open, and every record is
 * sealed under a key that this process makes and keeps to itself. Throws `storage-failed`.
 */
export function sealedSpool(folder: string): TokenSpool {
  const name = join(folder, `spool-${Buffer.from(secureRandom(12)).toString('hex')}`);
  const key = secureRandom(32);
  let records = 0;
  let end = 0;
  const on = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      const problem = fileProblem(cause) ?? (cause as Error).message;
      throw new HitError('storage-failed', `${folder}: ${problem}`, { cause });
    }
  };
  const file = on(() => {
    const opened = openSync(name, 'wx+', 0o600);
    rmSync(name);
    return opened;
  });
  const readAt = (at: number, length: number): Uint8Array => {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let got = 0; got < length;) {
      const more = readSync(file, bytes, got, length - got, at + got);
      if (more === 0) throw new Error('the spool ends too early');
      got += more;
    }
    return bytes;
  };
  return {
    write: (record) =>
      on(() => {
        const length = uintToBytes(record.length + AEAD_TAG_BYTES, LENGTH_BYTES);
        const sealed = runtimeAead.seal(key, uintToBytes(records++, 12), LABEL, record, length);
        for (let put = 0; put < sealed.length;)
          put += writeSync(file, sealed, put, sealed.length - put, end + put);
        end += sealed.length;
      }),
    *read() {
      let at = 0;
      for (let i = 0; i < records; i++) {
        const sealed = on(() => {
          const length = Buffer.from(readAt(at, LENGTH_BYTES)).readUInt32BE();
          at += LENGTH_BYTES + length;
          return readAt(at - length, length);
        });
        yield runtimeAead.open(key, uintToBytes(i, 12), LABEL, sealed);
      }
    },
    close() {
      key.fill(0);
      closeSync(file);
    },
  };
}
