import { gatewayFrameCodec, signGreeting, signHello } from '@hitmachine/protocol';
import type { Backend, Secret } from '@hitmachine/protocol';
import type { AcceptedConnection } from '../../ports/connections.ts';

interface Greeting {
  readonly backend: Backend;
  readonly identitySeed: Secret<Uint8Array>;
  readonly replica: string;
  readonly program: string;
  readonly now: number;
  readonly rosterVersion: number;
}

/** The first frame that an agent hears, in the version that it speaks, signed for its request. */
export function greetingOf(
  { backend, identitySeed, replica, program, now, rosterVersion }: Greeting,
  { requestBase, version, offered }: AcceptedConnection,
): Uint8Array {
  const seed = identitySeed.reveal();
  const hello = { rosterVersion, now, replica };
  if (version === 1) {
    const signature = signHello(backend, seed, requestBase, hello);
    return gatewayFrameCodec.encode({ type: 'hello', ...hello, signature });
  }
  const greeting = { ...hello, version, program };
  const signature = signGreeting(backend, seed, requestBase, offered, greeting);
  return gatewayFrameCodec.encode({ type: 'greeting', ...greeting, signature });
}
