import { agentFrameCodec, gatewayFrameCodec } from '@hitmachine/protocol';
import type { Connections, Delivery, DeliveryResult } from '../gateway/src/ports/connections.ts';
import { secureRandom } from '../node-agent/src/random.ts';

/** An answer of a register of some size, as the gateway sees it. */
export interface SimulatedAnswer {
  /** Share of the nodes that answer with so many bytes. */
  readonly share: number;
  readonly bytes: number;
}

/** Milliseconds on the way and back, and at the node: half of the nodes are quicker. */
const MEDIAN_MS = 35;
/** Spread of the logarithm: one node in twenty takes three times the median or more. */
const SPREAD = 0.7;
/** Shares of slow answers (a disk that is busy, a line that is bad) and what they take in addition. */
const SLOW_SHARE = 0.01;
const SLOW_MS = 400;

/** How long an answer takes: log-normal, as round trips over the internet are, with a few slow ones. */
export function simulatedDelay(random: () => number = Math.random): number {
  // Box and Muller; 1 − x, since the logarithm of 0 is none.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return MEDIAN_MS * Math.exp(SPREAD * normal) + (random() < SLOW_SHARE ? SLOW_MS * (0.5 + random()) : 0);
}

/**
 * Connections to nodes that are not there: each question is encoded as a frame and read again, waits as long as an answer
 * takes, and comes back as a frame that is read as the gateway reads it. There are no sockets.
 */
export class SimulatedNodes implements Connections {
  readonly #answers: readonly Uint8Array[];

  /** What nodes answer with; the ciphertexts are noise. */
  constructor(answers: readonly SimulatedAnswer[]) {
    const frames = answers.map(({ share, bytes }) => {
      const ciphertext = secureRandom(bytes);
      const frame = agentFrameCodec.encode({ type: 'reply', delivery: 1, outcome: 'answered', ciphertext });
      return Array.from({ length: Math.round(100 * share) }, () => frame);
    });
    this.#answers = frames.flat();
  }

  async deliver(delivery: Delivery, options: Parameters<Connections['deliver']>[1]) {
    const frame = gatewayFrameCodec.encode({ type: 'delivery', answerBy: 0, delivery: 1, ...delivery });
    const read = gatewayFrameCodec.decode(frame);
    if (read.type !== 'delivery') throw new Error('not a question');
    const node = Number(read.question.node.split('-')[1]);
    return new Promise<DeliveryResult | undefined>((resolve) => {
      const timer = setTimeout(() => {
        options.signal.removeEventListener('abort', gone);
        const reply = agentFrameCodec.decode(Uint8Array.from(this.#answers[node % 100] as Uint8Array));
        if (reply.type !== 'reply') throw new Error('not an answer');
        resolve({ outcome: reply.outcome, ciphertext: reply.ciphertext });
      }, simulatedDelay());
      const gone = (): void => {
        clearTimeout(timer);
        resolve(undefined);
      };
      options.signal.addEventListener('abort', gone, { once: true });
    });
  }

  connected = (): readonly string[] => [];
  witness = async (): Promise<undefined> => undefined;
  announceCheckpoint = (): void => undefined;
  announceRoster = (): void => undefined;
  disconnect = (): void => undefined;
  keepOnly = (): void => undefined;
}
