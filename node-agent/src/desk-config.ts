import { slugSchema } from '@hitmachine/protocol';
import { loginSettings, oneProof } from '@hitmachine/web/settings';
import { z } from 'zod';

/** The part `desk` of agent.yaml: the pages of professionals and of the privacy officer. Without it there are none. */
export const deskSchema = z
  .strictObject({
    ...loginSettings,
    /** The role, at the agency's own identity provider, that may read the agency's log. */
    privacyOfficerRole: z.string().min(1).default('privacy-officer'),
    /**
     * Who asks, by role of the federation: the role, or several, at the identity provider that stands for it. Without
     * it nobody asks at the desk.
     */
    roles: z
      .record(
        slugSchema,
        z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).transform((names) => [names].flat()),
      )
      .default({}),
  })
  .refine(...oneProof);
export type DeskConfig = z.infer<typeof deskSchema>;
