import type { Events } from '@hitmachine/service';

/** What an agent writes to its operational log of machines that hand registers over. */
export const HAND_OVER_EVENTS = {
  'handed-over': {
    at: 'info',
    fields: { register: 'text', added: 'number', removed: 'number' },
    says: 'A machine with the source handed a register over; `added` and `removed` count pseudonyms.',
  },
  'hand-over-refused': {
    at: 'warn',
    fields: { register: 'text', code: 'text' },
    says: 'A hand-over was refused, failed or cut off; the register is as it was.',
  },
} as const satisfies Events;
