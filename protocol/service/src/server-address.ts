import { z } from 'zod';

/** Where a server is: its address for a file that others may see, or the file that holds it. */
export const serverSchema = (
  complaintOf: (url: string) => string | undefined,
  hasPassword: (url: string) => boolean,
) =>
  z
    .strictObject({
      url: z
        .string()
        .superRefine((text, context) => {
          const complaint =
            complaintOf(text) ??
            (hasPassword(text)
              ? 'holds a password: put the address in a file, and name that in urlFile'
              : undefined);
          if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint });
        })
        .optional(),
      urlFile: z.string().min(1).optional(),
    })
    .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), {
      message: 'either url or urlFile, and not both',
    });
export type ServerAddress = z.infer<ReturnType<typeof serverSchema>>;
