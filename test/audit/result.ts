/** One kind of tampering, and who detected it. */
export interface Result {
  readonly kind: string;
  readonly done: string;
  /** The tools that noticed. */
  readonly detectedBy: readonly string[];
  /** What one of those that must notice said, with its name. */
  readonly named: string;
  /** Tools that should have noticed, or should have named the entry, and did not. */
  readonly missed: readonly string[];
}
