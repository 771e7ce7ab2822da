import {
  LIMITS,
  agentFrameCodec,
  answerCodec,
  deliveryReportCodec,
  gatewayFrameCodec,
  questionCodec,
  questionsCodec,
  sealedQuestionCodec,
  utf8ToBytes,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { decoding } from '../format.ts';
import { Layout } from '../layout.ts';
import { exampleTicket, layTicket } from './tickets.ts';

function layQuestion(): Layout {
  const random = expand('question');
  const layout = new Layout();
  layout.list('elements', ['bsn', 'name+birthdate'], (tokenType, name) =>
    layout.text(`${name}.tokenType`, tokenType).blob(`${name}.elements`, random(64)),
  );
  const registers = [
    { register: 'aandacht', columns: [{ tokenType: 'bsn', bits: 5, buckets: [3, 31] }] },
    {
      register: 'aangiften',
      columns: [
        { tokenType: 'bsn', bits: 2, buckets: [0, 3] },
        { tokenType: 'name+birthdate', bits: 0, buckets: [0, 0] },
      ],
    },
  ];
  return layout.list('registers', registers, ({ register, columns }, name) => {
    layout.text(`${name}.register`, register);
    layout.list(`${name}.columns`, columns, ({ tokenType, bits, buckets }, column) => {
      layout.text(`${column}.tokenType`, tokenType).uint(`${column}.bits`, 1, bits);
      layout.list(`${column}.buckets`, buckets, (bucket, at) => layout.uint(at, 2, bucket));
    });
  });
}

function layAnswer(): Layout {
  const random = expand('answer');
  const layout = new Layout().uint('type: answered', 1, 1).uint('epoch', 8, 20_454);
  layout.uint('commitment: absent or present', 1, 1).blob('commitment', utf8ToBytes('commitment'));
  layout.uint('number of registers', 2, 2);
  layout.uint('registers[0].type: unavailable', 1, 0).text('registers[0].register', 'aandacht');
  layout.uint('registers[0].reason: starting', 1, 1);
  layout.uint('registers[1].type: tables', 1, 1).text('registers[1].register', 'aangiften');
  layout.blob('registers[1].contact', utf8ToBytes('{"name":"Team Aangiften","telephone":"024 000 00 00"}'));
  const columns = [
    { tokenType: 'bsn', bits: 1, rangeTags: 2, ranges: 2 },
    { tokenType: 'name+birthdate', bits: 0, rangeTags: 3, ranges: 1 },
  ];
  return layout.list('registers[1].columns', columns, ({ tokenType, bits, rangeTags, ranges }, name) =>
    layout
      .text(`${name}.tokenType`, tokenType)
      .blob(`${name}.evaluated`, random(64))
      .uint(`${name}.bits`, 1, bits)
      .uint(`${name}.rangeTags`, 4, rangeTags)
      .blob(`${name}.ranges`, random(8 * rangeTags * ranges))
      .blob(`${name}.paths`, random(32 * bits * ranges)),
  );
}

function laySealedQuestion(opening: Uint8Array | undefined): Layout {
  const random = expand('sealed question');
  const layout = new Layout()
    .text('node', 'politie')
    .raw('sessionId', random(16))
    .uint('counter', 8, 41)
    .uint('opening: absent or present', 1, opening === undefined ? 0 : 1);
  if (opening !== undefined) layout.blob('opening', opening);
  return layout.blob('ciphertext', random(40));
}

function layQuestions(): Layout {
  const layout = new Layout().uint('number of questions', 2, 2);
  return layout
    .include(laySealedQuestion(undefined), 'questions[0].')
    .include(laySealedQuestion(Uint8Array.of(1, 2, 3)), 'questions[1].');
}

function layReport(outcome: string, code: number, ciphertext?: Uint8Array): Layout {
  const layout = new Layout()
    .text('node', 'politie')
    .uint(`outcome: ${outcome}`, 1, code)
    .uint('ciphertext: absent or present', 1, ciphertext === undefined ? 0 : 1);
  return ciphertext === undefined ? layout : layout.blob('ciphertext', ciphertext);
}

function layDelivery(): Layout {
  const random = expand('delivery');
  return new Layout()
    .uint('type: delivery', 1, 1)
    .uint('delivery', 4, 17)
    .uint('answerBy', 8, 1_767_225_610_000)
    .blob('ticket', layTicket(exampleTicket('delivered ticket')).bytes())
    .blob('evidence', random(60))
    .raw('evidenceSignature', random(64))
    .include(laySealedQuestion(undefined), 'question.');
}

const MESSAGES: readonly (readonly [name: string, operation: string, layout: () => Layout])[] = [
  ['question', 'decode-question', layQuestion],
  ['answer', 'decode-answer', layAnswer],
  ['refusal', 'decode-answer', () => new Layout().uint('type: refused', 1, 0).uint('reason: purpose', 1, 1)],
  ['in a session that stands', 'decode-sealed-question', () => laySealedQuestion(undefined)],
  ['with an opening', 'decode-sealed-question', () => laySealedQuestion(Uint8Array.of(1, 2, 3))],
  ['questions of a lookup', 'decode-questions', layQuestions],
  ['answered', 'decode-delivery-report', () => layReport('answered', 0, expand('report')(20))],
  ['timeout', 'decode-delivery-report', () => layReport('timeout', 5)],
  ['not logged', 'decode-delivery-report', () => layReport('not-logged', 8)],
  [
    'hello',
    'decode-gateway-frame',
    () =>
      new Layout()
        .uint('type: hello', 1, 0)
        .uint('rosterVersion', 8, 7)
        .uint('now', 8, 1_767_225_600_000)
        .raw('replica', utf8ToBytes('replica 1'))
        .raw('signature', expand('hello frame')(64)),
  ],
  ['delivery', 'decode-gateway-frame', layDelivery],
  [
    'roster changed',
    'decode-gateway-frame',
    () => new Layout().uint('type: roster-changed', 1, 2).uint('rosterVersion', 8, 8),
  ],
  [
    'request for a cosignature',
    'decode-gateway-frame',
    () =>
      new Layout()
        .uint('type: add-checkpoint', 1, 3)
        .uint('request', 4, 5)
        .blob('body', utf8ToBytes('old 0\n\n')),
  ],
  [
    'checkpoint',
    'decode-gateway-frame',
    () =>
      new Layout().uint('type: checkpoint', 1, 4).blob('note', utf8ToBytes('waalstad.hitmachine/log\n0\n')),
  ],
  [
    'greeting',
    'decode-gateway-frame',
    () =>
      new Layout()
        .uint('type: greeting', 1, 5)
        .uint('version', 1, 2)
        .uint('rosterVersion', 8, 7)
        .uint('now', 8, 1_767_225_600_000)
        .raw('replica', utf8ToBytes('replica 1'))
        .text('program', '0.1.0')
        .raw('signature', expand('greeting frame')(64)),
  ],
  ['a gateway that leaves', 'decode-gateway-frame', () => new Layout().uint('type: leaving', 1, 6)],
  [
    'cosigned',
    'decode-agent-frame',
    () =>
      new Layout()
        .uint('type: cosigned', 1, 1)
        .uint('request', 4, 5)
        .uint('status', 2, 409)
        .blob('body', utf8ToBytes('7\n')),
  ],
  ['leaving', 'decode-agent-frame', () => new Layout().uint('type: leaving', 1, 2)],
  [
    'introduction',
    'decode-agent-frame',
    () => new Layout().uint('type: introduction', 1, 3).text('program', '0.1.0'),
  ],
  [
    'reply',
    'decode-agent-frame',
    () =>
      new Layout()
        .uint('type: reply', 1, 0)
        .uint('delivery', 4, 17)
        .uint('outcome: session-unknown', 1, 2)
        .uint('ciphertext: absent or present', 1, 0),
  ],
];

/** Every binary message but the ticket and the session opening, which have files of their own. */
export const messages: Subject = {
  description:
    'Binary messages. Each operation decodes one kind of message to its fields; encoding those gives the same bytes. ' +
    '`layout` shows the bytes part by part: integers are big-endian, a text has a two-byte length, bytes of variable ' +
    'length a four-byte one, a list a two-byte count, an optional part a byte that is 0 or 1.',
  operations: {
    'decode-question': decoding(questionCodec),
    'decode-answer': decoding(answerCodec),
    'decode-sealed-question': decoding(sealedQuestionCodec),
    'decode-questions': decoding(questionsCodec),
    'decode-delivery-report': decoding(deliveryReportCodec),
    'decode-gateway-frame': decoding(gatewayFrameCodec),
    'decode-agent-frame': decoding(agentFrameCodec),
  },
  async cases() {
    const vectors = MESSAGES.map(([name, operationName, lay]): Case => {
      const layout = lay();
      return { name, operation: operationName, input: { bytes: layout.bytes() }, layout: layout.parts };
    });
    const refused = (name: string, operationName: string, bytes: Uint8Array): NegativeCase => ({
      name,
      operation: operationName,
      input: { bytes },
      error: 'malformed',
    });
    return {
      vectors,
      negative: [
        ...MESSAGES.flatMap(([name, operationName, lay]) => {
          const bytes = lay().bytes();
          return [
            refused(`${name}, cut off`, operationName, bytes.slice(0, -1)),
            refused(`${name}, a byte too many`, operationName, Uint8Array.of(...bytes, 0)),
          ];
        }),
        ...[...new Set(MESSAGES.map(([, operationName]) => operationName))].map((operationName) =>
          refused('empty', operationName, new Uint8Array()),
        ),
        refused(
          'a contact of more than 8,192 bytes',
          'decode-answer',
          new Layout()
            .uint('', 1, 1)
            .uint('', 8, 1)
            .uint('', 1, 0)
            .uint('', 2, 1)
            .uint('', 1, 1)
            .text('', 'a')
            .blob('', new Uint8Array(8_193))
            .uint('', 2, 0)
            .bytes(),
        ),
        refused(
          'a commitment that is too long',
          'decode-answer',
          new Layout()
            .uint('', 1, 1)
            .uint('', 8, 1)
            .uint('', 1, 1)
            .blob('', new Uint8Array(LIMITS.commitmentBytes + 1))
            .uint('', 2, 0)
            .bytes(),
        ),
        refused('an answer of an unknown kind', 'decode-answer', Uint8Array.of(2, 0)),
        refused('an unknown reason', 'decode-answer', Uint8Array.of(0, 255)),
        refused('an unknown outcome', 'decode-delivery-report', layReport('?', 9).bytes()),
        refused('a frame of an unknown kind', 'decode-gateway-frame', Uint8Array.of(5)),
        refused('a mark that is neither 0 nor 1', 'decode-agent-frame', Uint8Array.of(0, 0, 0, 0, 1, 0, 2)),
        refused(
          'a line feed in a name',
          'decode-delivery-report',
          new Layout().text('node', 'a\nb').uint('', 2, 0).bytes(),
        ),
        refused(
          'more elements than 32 persons have',
          'decode-question',
          new Layout().uint('', 2, 1).text('', 'bsn').blob('', new Uint8Array(1_025)).uint('', 2, 0).bytes(),
        ),
        refused('more token types than eight', 'decode-question', new Layout().uint('', 2, 9).bytes()),
        refused('an epoch beyond 2^53', 'decode-answer', Uint8Array.of(1, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
      ],
    };
  },
};
