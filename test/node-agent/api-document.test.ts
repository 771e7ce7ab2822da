import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSALS, contactSchema } from '@hitmachine/protocol';
import { API_VERSION as GATEWAY_API_VERSION } from '../../gateway/src/routes/headers.ts';
import { lookupInputSchema } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { EXPLANATIONS, NO_ANSWER_REASONS } from '../../node-agent/src/domain/asking/outcome.ts';
import { agentStatusSchema } from '../../node-agent/src/domain/running/status.ts';
import * as examples from '../../node-agent/src/routes/examples.ts';
import { LookupLine } from '../../node-agent/src/routes/lookup-schemas.ts';
import type { ApiDocument } from '../support/openapi.ts';
import { reviewDocument } from '../support/openapi.ts';
import { TestApi, body, problemOf } from './support/api.ts';
import { PURPOSE } from './support/gateway.ts';
import { ROLE, purposeFile } from './support/policy.ts';

describe("the OpenAPI document of the agency's own API", () => {
  let api: TestApi;
  let document: ApiDocument;

  beforeAll(async () => {
    api = await TestApi.open();
    document = (await (await api.call('/v1/openapi.json', {}, '')).json()) as ApiDocument;
  });

  afterAll(() => api.node.close());

  it('describes every field, has a valid example of every JSON body, and tells of every refusal', () => {
    const { complaints, examples: count } = reviewDocument(document);
    expect(complaints).toEqual([]);
    expect(count).toBeGreaterThan(30);
  });

  it('has examples that this agent takes and gives', async () => {
    expect(lookupInputSchema.parse(examples.lookupInput).persons).toHaveLength(2);
    agentStatusSchema.parse(examples.agentStatus);
    for (const register of examples.lookupResult.persons.flatMap(({ registers }) => registers))
      if (register.contact !== undefined) contactSchema.parse(register.contact);
    const statements = (examples.lookupInput.statements ?? []).map((code) => ({
      code,
      text: { nl: code, en: code },
    }));
    const askers = { kinds: ['other' as const], roles: [examples.lookupInput.role, ROLE] };
    api.gateway.changePolicy({ purposes: [purposeFile(PURPOSE, { statements, askers })] });
    await api.node.roster.accept(api.gateway.sign());
    // Refused only for a register that this little federation does not have: everything before that was fine.
    const { registers: _registers, ...input } = examples.lookupInput;
    const persons = input.persons.map(({ identifiers: _identifiers, ...person }) => person);
    expect((await api.post({ ...input, persons })).status).toBe(200);
    expect((await problemOf(await api.post({ ...input, persons, registers: ['ggz/x'] }))).code).toBe(
      'unknown-register',
    );
  });

  it('describes the lines that a lookup really answers with', async () => {
    api.gateway.changePolicy({ purposes: [purposeFile(PURPOSE)] });
    await api.node.roster.accept(api.gateway.sign());
    const ndjson = { accept: 'application/x-ndjson' };
    const lines = (await (await api.post(body(), ndjson)).text()).trim().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) LookupLine.parse(JSON.parse(line));
    api.gateway.beforeOpening = async () => {
      throw new Error('a fault');
    };
    const failed = await (await api.post(body(), ndjson)).text();
    api.gateway.beforeOpening = async () => undefined;
    expect(LookupLine.parse(JSON.parse(failed.trim().split('\n').at(-1)!)).type).toBe('problem');
    const described = examples.lookupLines
      .trim()
      .split('\n')
      .map((line) => LookupLine.parse(JSON.parse(line)));
    expect(described.map(({ type }) => type)).toEqual(['begun', 'opened', 'register', 'register', 'end']);
  });

  it('tells every status and reason apart, and what dates and identifiers look like', () => {
    const text = JSON.stringify(document);
    for (const reason of [...NO_ANSWER_REASONS, ...REFUSALS, 'reply-failed-check'] as const)
      expect(text).toContain(`\`${reason}\`: ${EXPLANATIONS[reason].en}`);
    for (const status of ['known', 'not-known', 'no-answer', 'refused', 'invalid'])
      expect(text).toMatch(new RegExp(`- \`${status}\`: \\w+`));
    expect(text).toContain('criminal-justice number');
    expect(text).toContain('d-m-yyyy');
    const { LookupResult } = document.components.schemas as never as Record<
      string,
      { properties: Record<string, { format?: string }> }
    >;
    expect(LookupResult?.properties['askedAt']?.format).toBe('date-time');
  });

  it('has the same version as that of the gateway', () => {
    expect(document.info.version).toBe(GATEWAY_API_VERSION);
  });

  it('is not the only thing to be seen in a browser', async () => {
    const response = await api.call('/', {}, '');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    const page = await response.text();
    expect(page).toContain('<html lang="nl">');
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, path]) => path!);
    expect(links).toEqual(['/developers', '/v1/openapi.json', '/readyz']);
    for (const path of links) expect((await api.call(path, {}, '')).status).toBe(200);
    expect(page).not.toMatch(/<(script|style|img|link)|style=/);
  });

  it('is not needed to find out what a 401 wants', async () => {
    const refused = await api.call('/v1/status', {}, '');
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="hit-agent"');
    expect((await api.call('/v1/status')).headers.get('www-authenticate')).toBeNull();
  });
});
