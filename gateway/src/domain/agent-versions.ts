import { HitError, commonVersion, readVersions, versionsText } from '@hitmachine/protocol';

/**
 * The versions of an agent's connection that this gateway speaks, the newest first. A new one is added in front, and an old
 * one is kept until no agent needs it: the log names the version of every connection.
 */
export const AGENT_VERSIONS: readonly number[] = [2, 1];

/** What an agent and this gateway speak with each other. */
export interface AgreedVersion {
  readonly version: number;
  /** All that the agent offered. */
  readonly offered: readonly number[];
}

/** The newest version that both speak, by the header of the request. Throws `field-invalid` and `version-not-spoken`. */
export function agreeOnVersion(header: string | undefined): AgreedVersion {
  const offered = readVersions(header);
  const version = commonVersion(AGENT_VERSIONS, offered);
  if (version !== undefined) return { version, offered };
  throw new HitError(
    'version-not-spoken',
    `the agent speaks version ${versionsText(offered)} of the connection, this gateway ${versionsText(AGENT_VERSIONS)}: upgrade the older of the two`,
  );
}
