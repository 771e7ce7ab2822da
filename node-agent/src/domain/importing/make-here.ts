import type { Random, Suite } from '@hitmachine/protocol';
import { blindBatch, finishBatch } from '@hitmachine/protocol';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import { packPseudonyms } from '../../pack-pseudonyms.ts';
import type { PseudonymMaker } from '../../ports/pseudonym-maker.ts';

/** Makes pseudonyms on this thread: a few, which are made before another thread has started. */
export function makeHere(suite: Suite, keys: MakerKeys, random: Random): PseudonymMaker {
  return {
    atOnce: 2,
    async make(tokens, evaluate) {
      const batch = blindBatch(suite, tokens, random);
      const { evaluated, proof } = await evaluate(batch.elements);
      const made = finishBatch(suite, keys.gatewayKey, keys.nodeKey, batch, evaluated, proof);
      return packPseudonyms(made, keys.maskKey);
    },
    close: () => Promise.resolve(),
  };
}
