/**
 * How the agency is set up that a fault is made to: as it comes, with its store in PostgreSQL, or with TLS on both sides of
 * the way to the gateway.
 */
export type Setting = 'as it comes' | 'PostgreSQL' | 'mutual TLS';
