/** Origin of a federation's log (C2SP tlog-checkpoint), and the name of the key that signs its checkpoints. */
export const logOrigin = (federation: string): string => `${federation}.hitmachine/log`;

/** Name of the key with which an agency's agent, as a witness, cosigns (C2SP tlog-cosignature). */
export const witnessName = (federation: string, agency: string): string =>
  `${agency}.${federation}.hitmachine/witness`;
