import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scratch, concatBytes, uintToBytes } from '@hitmachine/protocol';
import { framed, list, message, blob, struct, text, u32 } from '../../protocol/src/wire/codec.ts';
import { Writer } from '../../protocol/src/wire/writer.ts';
import { expectCode } from './support.ts';

/** On both sides of what is put together, and of the memory in which it is. */
const part = fc.oneof(
  fc.uint8Array({ maxLength: 300, size: 'max' }),
  fc.uint8Array({ minLength: 250, maxLength: 260 }),
  fc.uint8Array({ minLength: 2_000, maxLength: 2_100 }),
);

describe('a message as it is written', () => {
  it('is its parts one after another, small and large ones', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40, size: 'max' }), (parts) => {
        const writer = new Writer();
        for (const one of parts) {
          writer.uint(one.length, 4);
          writer.put(one);
        }
        const expected = concatBytes(...parts.flatMap((one) => [uintToBytes(one.length, 4), one]));
        expect(writer.length).toBe(expected.length);
        expect(writer.finish()).toEqual(expected);
      }),
    );
  });

  it('has the length of what is framed in front, however long it is', () => {
    fc.assert(
      fc.property(part, fc.array(part, { maxLength: 10 }), (before, parts) => {
        const writer = new Writer();
        writer.put(before);
        writer.framed(() => {
          writer.framed(() => undefined);
          for (const one of parts) writer.put(one);
        });
        const within = concatBytes(new Uint8Array(4), ...parts);
        expect(writer.finish()).toEqual(concatBytes(before, uintToBytes(within.length, 4), within));
      }),
    );
  });

  const codec = message(
    struct({ number: u32, name: text(10), framed: framed(list(blob(3_000), 9)) }),
    30_000,
  );
  const value = { number: 7, name: 'politie', framed: [new Uint8Array(2_500).fill(1), Uint8Array.of(2)] };

  it('does not change with the next one', () => {
    const first = codec.encode(value);
    const copy = first.slice();
    codec.encode({ ...value, number: 8, name: 'gemeente' });
    expect(first).toEqual(copy);
    expect(codec.decode(first)).toEqual(value);
  });

  it('is as it should be after one that could not be written to its end', () => {
    const expected = codec.encode(value);
    for (const wrong of [{ number: -1 }, { number: 2 ** 32 }, { number: 0.5 }, { number: Number.NaN }])
      expectCode(() => codec.encode({ ...value, ...wrong }), 'field-invalid');
    for (const wrong of [
      { name: 'é' },
      { name: 'a\n' },
      { name: 'x'.repeat(11) },
      { framed: [new Uint8Array(3_001)] },
    ])
      expectCode(() => codec.encode({ ...value, ...wrong }), 'malformed');
    expect(codec.encode(value)).toEqual(expected);
  });

  it('is refused where it is longer than its codec allows', () => {
    const long = Array.from({ length: 9 }, () => new Uint8Array(3_000));
    expect(codec.encode({ ...value, framed: long })).toHaveLength(4 + 9 + 4 + 2 + 9 * 3_004);
    expectCode(() => message(u32, 3).encode(1), 'malformed');
  });

  it('may be written while another one is', () => {
    const outer = new Writer();
    outer.put(Uint8Array.of(1));
    expect(codec.decode(codec.encode(value))).toEqual(value);
    outer.put(Uint8Array.of(2));
    expect(outer.finish()).toEqual(Uint8Array.of(1, 2));
  });

  it('stands in the memory that is given, until that is used again', () => {
    const scratch = new Scratch();
    const first = codec.encode(value, scratch);
    expect(codec.decode(first)).toEqual(value);
    const second = codec.encode({ ...value, number: 9 }, scratch);
    expect(second.buffer).toBe(first.buffer);
    expect(codec.decode(second).number).toBe(9);
  });
});
