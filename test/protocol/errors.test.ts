import { describe, expect, test } from 'vitest';
import { ERRORS, HitError, problemOf } from '@hitmachine/protocol';
import type { ErrorCode } from '@hitmachine/protocol';

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe('problem documents', () => {
  test.each(CODES)('of %s', (code) => {
    const { status, title } = ERRORS[code];
    expect(problemOf(new HitError(code))).toEqual({
      type: `urn:hitmachine:error:${code}`,
      status,
      title,
      detail: title,
      code,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  });

  test('name the fields, and say when to try again', () => {
    const fields = [{ field: 'bsn', detail: 'wrong' }];
    const error = new HitError('quota-exceeded', 'later', { fields, retryAfter: 5 });
    expect(problemOf(error)).toMatchObject({ detail: 'later', fields });
    expect(error.retryAfter).toBe(5);
  });

  test.each([new Error('S3CRET'), new TypeError('S3CRET'), 'S3CRET', { message: 'S3CRET' }, undefined, null])(
    'of anything else tell nothing (%#)',
    (thrown) => {
      const problem = problemOf(thrown);
      expect(problem.code).toBe('internal');
      expect(JSON.stringify(problem)).not.toContain('S3CRET');
    },
  );

  test('a cause is kept for the log and not sent', () => {
    const error = new HitError('internal', undefined, { cause: new Error('S3CRET') });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(problemOf(error))).not.toContain('S3CRET');
  });
});
