import { describe, expect, it } from 'vitest';
import { AnswersOnHand } from '../../gateway/src/domain/answers-on-hand.ts';

const MIB = 1_048_576;

describe('answers on hand', () => {
  it('are bounded for each asker, so that one who does not read leaves room for the others', () => {
    const onHand = new AnswersOnHand();
    for (let i = 0; i < 3; i++) expect(onHand.hold('politie', 16 * MIB)).toBe(true);
    expect(onHand.hold('politie', 1)).toBe(false);
    // What has no bytes takes no room.
    expect(onHand.hold('politie', 0)).toBe(true);
    expect(onHand.hold('ggz', 48 * MIB)).toBe(true);
    onHand.release('politie', 16 * MIB);
    expect(onHand.hold('politie', 16 * MIB)).toBe(true);
    for (let i = 0; i < 6; i++) expect(onHand.hold(`a${i}`, 48 * MIB)).toBe(true);
    expect(onHand.hold('another', 1)).toBe(false);
  });
});
