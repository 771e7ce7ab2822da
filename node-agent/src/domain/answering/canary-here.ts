import type { AgentReply, SealedQuestion } from '@hitmachine/protocol';
import { HitError, decodeBase64 } from '@hitmachine/protocol';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { Delivery } from '../../ports/gateway-connection.ts';

/**
 * A gateway through which this replica hears of its own canary. The gateway puts a question to any replica of an agent,
 * and another one refuses a canary that it did not ask about. So that the same canary shows that this replica answers
 * rightly too, from its tables and with its keys, it then answers the very question itself. The way over the gateway is
 * gone all the same: where no reply comes back, nothing is answered here.
 */
export function hearingHere(
  gateway: GatewayClient,
  answer: (delivery: Delivery) => Promise<AgentReply>,
): GatewayClient {
  let evidence: Uint8Array | undefined;
  const here = (question: SealedQuestion, ticket: string): Promise<AgentReply> => {
    if (evidence === undefined) throw new HitError('internal', 'a question before its lookup');
    return answer({
      type: 'delivery',
      delivery: 0,
      answerBy: Number.MAX_SAFE_INTEGER,
      ticket: decodeBase64(ticket),
      evidence,
      // Kept for an auditor with what is logged; a canary is not.
      evidenceSignature: new Uint8Array(64),
      question,
    });
  };
  return {
    ...gateway,
    async openLookup(request) {
      const opened = await gateway.openLookup(request);
      evidence = opened.sent.base;
      return opened;
    },
    async *ask(lookup, questions) {
      for await (const report of gateway.ask(lookup, questions)) {
        const question = questions.find(({ node }) => node === report.node);
        const ticket = lookup.tickets.find(({ node }) => node === report.node)?.ticket;
        if (report.outcome !== 'rejected' || question === undefined || ticket === undefined) yield report;
        else {
          const { outcome, ciphertext } = await here(question, ticket);
          yield { node: report.node, outcome, ciphertext };
        }
      }
    },
  };
}
