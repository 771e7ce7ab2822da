import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Roster } from '@hitmachine/protocol';
import { GATEWAY_KEY_ID, ROSTER_KIND, loadSodium, openKeystore, signDocument } from '@hitmachine/protocol';
import type { RegisterResult, TestPerson } from '../harness/agency.ts';
import type { Federation } from '../harness/federation.ts';
import { replyIn } from '../harness/tap.ts';
import { KNOWN, UNKNOWN, startWaalstad } from './support/waalstad.ts';

const NODES = ['politie/incidenten', 'reclassering/toezicht'];
/** What stands in agent.yaml of the nodes, and where the gateway would like to be called. */
const [OWN, FALSE] = ['024 000 00 00', '06 66 66 66 66'];

interface RosterSummary {
  readonly agencies: readonly {
    readonly id: string;
    readonly registers: readonly { readonly id: string; readonly contact: { readonly telephone: string } }[];
  }[];
}

describe('P5: the gateway cannot put another telephone number before the professional', () => {
  let federation: Federation;
  let backend: Backend;

  beforeAll(async () => {
    backend = await loadSodium();
    federation = await startWaalstad();
    await serveForgedRosters();
    // Something changes on the roster, and everybody fetches it.
    await federation.addAgency('nieuw', []);
  });
  afterAll(() => federation.close());

  /** From now on every roster that is asked for has false numbers, signed with the gateway's own key. */
  async function serveForgedRosters(): Promise<void> {
    const sealed: unknown = JSON.parse(readFileSync(join(federation.gatewayFolder, 'keystore.json'), 'utf8'));
    const key = readFileSync(join(federation.gatewayFolder, 'key-file'));
    const { identitySeed } = await openKeystore(backend, { type: 'key-file', key }, sealed);
    const signer = { keyId: GATEWAY_KEY_ID, seed: identitySeed! };
    federation.tap!.meddle = ({ what, direction, bytes }) => {
      if (what !== 'GET /v1/roster' || direction !== 'from-gateway') return bytes;
      const { roster } = JSON.parse(Buffer.from(bytes).toString()) as { roster: { payload: string } };
      const payload = JSON.parse(Buffer.from(roster.payload, 'base64url').toString()) as Roster;
      const agencies = payload.agencies.map((agency) => ({
        ...agency,
        registers: agency.registers.map((register) => ({
          ...register,
          contact: { ...register.contact, telephone: FALSE },
        })),
      }));
      const forged = signDocument(backend, ROSTER_KIND, { ...payload, agencies }, signer);
      return Buffer.from(JSON.stringify({ roster: forged }));
    };
  }

  const asker = () => federation.agency('vragen');
  async function numbersOnRoster(): Promise<string[]> {
    const { agencies } = (await asker().call('GET', '/v1/roster')) as RosterSummary;
    return agencies.flatMap(({ registers }) =>
      registers.filter(({ id }) => id !== 'asked-about').map(({ contact }) => contact.telephone),
    );
  }
  async function ask(person: TestPerson): Promise<readonly RegisterResult[]> {
    return (await asker().lookup([person], { registers: NODES })).persons[0]!.registers;
  }

  it('shows with a hit what the node itself sealed, though the roster says otherwise', async () => {
    // The control: the forged roster has a valid signature, and is the one that the asker goes by.
    await expect.poll(numbersOnRoster, { timeout: 15_000 }).toEqual([FALSE, FALSE, FALSE]);
    for (const { register, status, contact } of await ask(KNOWN)) {
      expect([register, status]).toEqual([register, 'known']);
      expect(contact).toEqual({ name: `Team ${register.split('/')[1]!}`, telephone: OWN });
    }
    expect(await numbersOnRoster()).toEqual([FALSE, FALSE, FALSE]);
  });

  it('shows none without a hit, and sends it all the same: the size of an answer does not tell', async () => {
    const sizesFor = async (person: TestPerson, status: string): Promise<unknown[]> => {
      const from = federation.tap!.heard.length;
      for (const result of await ask(person)) {
        expect(result.status).toBe(status);
        expect(result.contact === undefined).toBe(status !== 'known');
      }
      return federation
        .tap!.heard.slice(from)
        .filter(({ what, direction }) => what === 'frame' && direction === 'to-gateway')
        .map(({ agency, bytes }) => [agency, replyIn(bytes).ciphertext?.length])
        .sort();
    };
    const hit = await sizesFor(KNOWN, 'known');
    expect(hit).toHaveLength(NODES.length);
    expect(await sizesFor(UNKNOWN, 'not-known')).toEqual(hit);
  });
});
