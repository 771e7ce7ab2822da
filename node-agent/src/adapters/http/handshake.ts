import type { GatewayFrame } from '@hitmachine/protocol';
import { HitError, checkGreeting, checkHello, versionsText } from '@hitmachine/protocol';
import type { Signer } from './signed-fetch.ts';

/** The versions of the connection that this agent speaks, the newest first. An old one is kept until no gateway needs it. */
export const GATEWAY_VERSIONS: readonly number[] = [2, 1];

/** What the gateway said of itself first. */
export interface Hello {
  /** The version of the connection from here on. */
  readonly version: number;
  readonly rosterVersion: number;
  /** The gateway's clock, milliseconds since 1970. */
  readonly now: number;
  /** Which process of the gateway this is, base64url. */
  readonly replica: string;
  /** The version of its program; undefined in version 1, which does not say it. */
  readonly program: string | undefined;
}

type FirstFrame = Extract<GatewayFrame, { type: 'hello' | 'greeting' }>;

export const isFirst = (frame: GatewayFrame): frame is FirstFrame =>
  frame.type === 'hello' || frame.type === 'greeting';

/**
 * Checks that the pinned gateway greets, for this request and in a version that this agent speaks. Throws
 * `signature-invalid` and `version-not-spoken`.
 */
export function checkedHello(
  { backend }: Signer,
  gatewayKey: Uint8Array,
  requestBase: Uint8Array,
  frame: FirstFrame,
  versions = GATEWAY_VERSIONS,
): Hello {
  if (frame.type === 'greeting') {
    checkGreeting(backend, gatewayKey, requestBase, versions, frame);
    return frame;
  }
  checkHello(backend, gatewayKey, requestBase, frame);
  if (!versions.includes(1)) throw noCommonVersion('1');
  return { ...frame, version: 1, program: undefined };
}

/** What an operator is told when the two have no version in common. `theirs`: as the gateway names them. */
export const noCommonVersion = (theirs: string): HitError =>
  new HitError(
    'version-not-spoken',
    `the gateway speaks version ${theirs} of the connection, this agent ${versionsText(GATEWAY_VERSIONS)}: upgrade the older of the two`,
  );
