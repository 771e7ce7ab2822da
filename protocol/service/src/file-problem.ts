const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES:
    'permission denied; run this as its owner, let this account in (chown, chmod), or choose another path',
  EPERM: 'not permitted; run this as its owner, let this account in (chown, chmod), or choose another path',
  ENOENT: 'there is no such file or directory; look at the path',
  ENOTDIR: 'a part of this path is a file; look at the path',
  EISDIR: 'this is a directory, and a file is wanted',
  ENOSPC: 'the disk is full; make room and run this again',
  EDQUOT: 'the disk quota of this account is used up; make room and run this again',
  EROFS: 'the file system is read-only; choose another path',
};

/** What the system said of a file, in words and with the cure; undefined for any other error. */
export function fileProblem(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
}
