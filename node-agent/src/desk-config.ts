import { loginSettings, oneProof } from '@hitmachine/web';
import { z } from 'zod';

/** The part `desk` of agent.yaml: the privacy officer's pages. Without it there are none. */
export const deskSchema = z
  .strictObject({
    ...loginSettings,
    /** The role, at the agency's own identity provider, that may read the agency's log. */
    privacyOfficerRole: z.string().min(1).default('privacy-officer'),
  })
  .refine(...oneProof);
export type DeskConfig = z.infer<typeof deskSchema>;
