/**
 * A claim on a counter that starts anew with every window. Two charges with the same counter and window end add up;
 * when `used + amount` would exceed `limit` the claim is refused as a whole.
 */
export interface Charge {
  /** What is counted for whom: `persons:politie`. Never a person asked about. */
  readonly counter: string;
  /** For the refusal: "persons of an agency a day". */
  readonly describes: string;
  /** When the window ends and the counter starts anew, milliseconds since 1970. */
  readonly windowEnd: number;
  readonly amount: number;
  readonly limit: number;
}
