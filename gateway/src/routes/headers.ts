/** Version of the API, on every response (Dutch API Design Rules, API-57). */
export const API_VERSION = '1.0.0';

/** Headers of every response. There is nothing here for a browser, so the policy allows it nothing. */
export const RESPONSE_HEADERS: Readonly<Record<string, string>> = {
  'API-Version': API_VERSION,
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'Referrer-Policy': 'no-referrer',
};
