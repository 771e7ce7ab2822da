import type { Policy } from '@hitmachine/protocol';
import { decodeEnrolmentToken, encodeBase64 } from '@hitmachine/protocol';
import { inviteAgency } from '../../../gateway/src/domain/invitation.ts';
import { TestAgency, elements } from '../../gateway/support/agency.ts';
import { random } from '../../gateway/support/fixtures.ts';
import { TestGateway } from '../../gateway/support/gateway.ts';
import type { PolicyExample } from '../examples.ts';
import { questionOf } from '../questions.ts';
import type { Row } from '../tables.ts';

const DAY_MS = 86_400_000;

/** The gateway itself, over HTTP, with an example policy in force and the agencies of its tables enrolled. */
export class ConformanceGateway {
  readonly #gateway: TestGateway;
  readonly #agencies: ReadonlyMap<string, TestAgency>;

  private constructor(gateway: TestGateway, agencies: ReadonlyMap<string, TestAgency>) {
    this.#gateway = gateway;
    this.#agencies = agencies;
  }

  static async start({ agencies }: PolicyExample, policy: Policy): Promise<ConformanceGateway> {
    const gateway = await TestGateway.make({ policy });
    const enrolled = new Map<string, TestAgency>();
    for (const { id, name, kind, registers } of agencies) {
      const deps = { ...gateway.deps, gatewayKey: gateway.deps.keys.identityKey };
      const { token } = await inviteAgency(deps, { id, name, kind, clients: 100 });
      const agency = new TestAgency(id, (path, init) => gateway.request(path, init), gateway.clock.now);
      const { secret } = decodeEnrolmentToken(token);
      const tokenTypes = Object.keys(policy.settings.tokenTypes);
      const own = registers.map(({ tableBits: _, ...one }) => ({ ...one, tokenTypes }));
      const response = await agency.enrol(secret, [], { registers: own });
      if (response.status !== 201) throw new Error(`enrolment of ${id}: ${await response.text()}`);
      enrolled.set(id, agency);
    }
    return new ConformanceGateway(gateway, enrolled);
  }

  /** What the gateway says to a question: "allowed", the rule that refuses, or the code where it is no rule. */
  async says(row: Row): Promise<string> {
    const { asker, terms } = questionOf(row);
    // An agency that is not on the roster has no key by which it could ask at all.
    const agency = this.#agencies.get(asker);
    if (agency === undefined) return 'agency-kind';
    // Each on a day of its own, so that no limit is reached.
    this.#gateway.clock.time += DAY_MS;
    const { approval, breakGlass, rosterVersion, ...rest } = terms;
    const response = await agency.call('POST', '/v1/lookups', {
      ...rest,
      rosterVersion: this.#gateway.version - (rosterVersion - 1),
      ...(approval !== undefined && { approval }),
      ...(breakGlass !== undefined && { breakGlass }),
      caseCommitment: encodeBase64(random(32)),
      elements: encodeBase64(elements(terms.persons * terms.tokenTypes.length)),
    });
    if (response.status === 200) return 'allowed';
    const { code, rule } = (await response.json()) as { code: string; rule?: string };
    return rule ?? code;
  }
}
