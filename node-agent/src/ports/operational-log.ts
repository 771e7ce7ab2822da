/** What the program tells its operators. Fields never hold personal data, message bodies or keys. */
export interface OperationalLog {
  debug(fields: Readonly<Record<string, unknown>>): void;
  info(fields: Readonly<Record<string, unknown>>): void;
  warn(fields: Readonly<Record<string, unknown>>): void;
  error(fields: Readonly<Record<string, unknown>>): void;
}
