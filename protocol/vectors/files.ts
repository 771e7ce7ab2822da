import type { Backend } from '../src/index.ts';
import type { Case, Subject, VectorFile } from './format.ts';
import { toJson, vectorFileSchema } from './format.ts';
import { commitments } from './subjects/commitments.ts';
import { documents } from './subjects/documents.ts';
import { enrolment } from './subjects/enrolment.ts';
import { hello } from './subjects/hello.ts';
import { httpSignature } from './subjects/http-signature.ts';
import { keystore } from './subjects/keystore.ts';
import { log } from './subjects/log.ts';
import { lookup } from './subjects/lookup.ts';
import { messages } from './subjects/messages.ts';
import { oprf } from './subjects/oprf.ts';
import { pseudonyms } from './subjects/pseudonyms.ts';
import { sealing } from './subjects/sealing.ts';
import { session } from './subjects/session.ts';
import { tables } from './subjects/tables.ts';
import { tickets } from './subjects/tickets.ts';
import { tokens } from './subjects/tokens.ts';

/** What there are vectors of; each name is a file `NAME.json`. */
export const SUBJECTS: Readonly<Record<string, Subject>> = {
  tokens,
  oprf,
  pseudonyms,
  tables,
  tickets,
  session,
  sealing,
  messages,
  lookup,
  commitments,
  hello,
  'http-signature': httpSignature,
  documents,
  keystore,
  enrolment,
  log,
};

/** Computes a file of vectors; the same bytes with every backend. */
export async function vectorFile(subject: Subject, backend: Backend): Promise<VectorFile> {
  const { vectors, negative } = await subject.cases();
  const complete = async ({
    name,
    operation,
    input,
    layout,
  }: Case): Promise<VectorFile['vectors'][number]> => {
    const run = subject.operations[operation];
    if (run === undefined) throw new TypeError(`there is no operation ${operation}`);
    const given = toJson(input);
    return {
      name,
      operation,
      input: given,
      ...(layout === undefined
        ? {}
        : { layout: layout.map(([field, hex]): [string, string] => [field, hex]) }),
      output: await run(backend, given),
    };
  };
  return vectorFileSchema.parse({
    description: subject.description,
    vectors: await Promise.all(vectors.map(complete)),
    negative: negative.map(({ name, operation, input, error }) => ({
      name,
      operation,
      input: toJson(input),
      error,
    })),
  });
}

/** The text of a file of vectors, as it is committed. */
export function renderVectorFile(file: VectorFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}
