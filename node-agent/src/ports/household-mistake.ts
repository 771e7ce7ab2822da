import type { ErrorCode, FieldError } from '@hitmachine/protocol';

/** What can be wrong with a file of households, beside what the code of an error about a person says. */
export type HouseholdMistake =
  | Extract<
      ErrorCode,
      | 'bsn-invalid'
      | 'name-invalid'
      | 'birth-date-invalid'
      | 'address-invalid'
      | 'identifier-invalid'
      | 'person-without-token'
      | 'field-invalid'
    >
  | 'empty'
  | 'no-column'
  | 'unknown-column'
  | 'row'
  | 'household'
  | 'too-many';

/** A mistake and its line, as an error carries it to who puts it in words of another language. */
export const mistakeAt = (line: number, mistake: HouseholdMistake): FieldError => ({
  field: String(line),
  detail: mistake,
});
