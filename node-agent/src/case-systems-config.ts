import { slugSchema } from '@hitmachine/protocol';
import { safeUrlSchema } from '@hitmachine/web/settings';
import { z } from 'zod';

/**
 * The part `caseSystems` of agent.yaml: case systems that ask with an access token of the agency's own authorisation
 * server (client credentials with private_key_jwt), in the place of the agent's key.
 */
export const caseSystemsSchema = z
  .strictObject({
    /** The authorisation server. */
    issuer: safeUrlSchema,
    /** What its tokens for this agent name as their audience. */
    audience: z.string().min(1).default('hitmachine'),
    /** A scope that a token must have. */
    scope: z.string().min(1).optional(),
    clients: z
      .array(
        z.strictObject({
          clientId: z.string().min(1).max(200),
          /** As the agency's log calls it. */
          name: z.string().trim().min(1).max(100),
          /** Roles of professionals that it may ask for, of the federation's policy. */
          roles: z.array(slugSchema).min(1),
          /** Purposes that it may ask for; all when left out. */
          purposes: z.array(slugSchema).min(1).optional(),
        }),
      )
      .min(1),
  })
  .refine(({ clients }) => new Set(clients.map(({ clientId }) => clientId)).size === clients.length, {
    path: ['clients'],
    message: 'two clients have the same clientId',
  });
export type CaseSystemsConfig = z.infer<typeof caseSystemsSchema>;
