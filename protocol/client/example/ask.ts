// A case system in one file: asks a question of a file, and prints each register's answer as it comes.
//
//   node ask.ts --agent http://127.0.0.1:8461 --api-key-file api-key question.json
//   node ask.ts --agent http://127.0.0.1:8461 --issuer https://login.gemeente.example --client-id zaaksysteem
//               --private-key-file key.pem --audience hitmachine question.json
import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ClientOptions, Question } from '../src/index.ts';
import { HitmachineClient, NoAnswerError, ProblemError } from '../src/index.ts';

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    agent: text,
    'api-key-file': text,
    issuer: text,
    'client-id': text,
    'private-key-file': text,
    audience: text,
    scope: text,
  },
});

const read = (file: string): string => readFileSync(file, 'utf8').trim();

/** A value that must be given. */
function needed(name: keyof typeof values): string {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

async function options(): Promise<ClientOptions> {
  const agentUrl = needed('agent');
  if (values['api-key-file'] !== undefined) return { agentUrl, apiKey: read(values['api-key-file']) };
  const key = createPrivateKey(read(needed('private-key-file')));
  const privateKey = key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return {
    agentUrl,
    credentials: {
      issuer: needed('issuer'),
      clientId: needed('client-id'),
      privateKey,
      audience: needed('audience'),
      ...(values.scope !== undefined && { scope: values.scope }),
    },
  };
}

async function main(): Promise<void> {
  const [file] = positionals;
  if (file === undefined) throw new Error('give a file with a question');
  const question = JSON.parse(read(file)) as Question;
  const client = new HitmachineClient(await options());
  // Keep it with the case: after a failure the same key asks nobody a second time.
  const idempotencyKey = randomUUID();
  for await (const line of client.askStreaming(question, { idempotencyKey })) {
    if (line.type === 'opened') console.log(`lookup ${line.lookupId}`);
    if (line.type === 'end') console.log(line.complete ? 'complete' : 'not every register has answered');
    if (line.type !== 'register') continue;
    for (const { ref, register, status, contact, explanation } of line.persons)
      console.log(
        `  ${ref}  ${register}: ${status}  ${contact?.telephone ?? explanation?.en ?? ''}`.trimEnd(),
      );
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof ProblemError) console.error(`refused: ${error.message}`);
  else if (error instanceof NoAnswerError) console.error(`nothing is known: ${error.message}`);
  else console.error(error);
  process.exitCode = 1;
}
