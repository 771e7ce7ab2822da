import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { HitError } from '@hitmachine/protocol';
import { fileOf, secretFileProblem, watchedFiles } from '@hitmachine/service';
import { z } from 'zod';

/** The part `tls` of gateway.yaml: without it the gateway speaks HTTP, and a reverse proxy before it TLS. */
export const tlsSchema = z.strictObject({
  /** The gateway's certificate in PEM, with those of its authorities behind it. */
  certFile: z.string().min(1),
  /** Its private key in PEM, without a passphrase. */
  keyFile: z.string().min(1),
  /** The authorities whose certificates everybody who connects must show, in PEM; nobody needs one without it. */
  clientCaFile: z.string().min(1).optional(),
});

/** What a server of TLS needs; `ca` only where clients must show a certificate. */
export interface TlsContent {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/**
 * The content of the files, read again when one of them has changed. Throws `config-invalid` the first time; later
 * `refused` hears what cannot be used, and what was there before stays.
 */
export function tlsFiles(
  directory: string,
  files: z.infer<typeof tlsSchema>,
  refused: (error: Error) => void,
): () => TlsContent {
  const cert = fileOf(directory, files.certFile);
  const key = fileOf(directory, files.keyFile);
  const ca = files.clientCaFile === undefined ? undefined : fileOf(directory, files.clientCaFile);
  const paths = [cert, key, ...(ca === undefined ? [] : [ca])];
  return watchedFiles(
    paths,
    () => {
      const complaint = secretFileProblem(directory, files.keyFile);
      if (complaint !== undefined) throw new HitError('config-invalid', `tls.keyFile: ${complaint}`);
      const content = {
        cert: read('tls.certFile', cert, 'CERTIFICATE'),
        key: read('tls.keyFile', key, 'KEY'),
        ca: ca === undefined ? undefined : read('tls.clientCaFile', ca, 'CERTIFICATE'),
      };
      check(content, cert, key);
      return content;
    },
    refused,
  );
}

function read(setting: string, file: string, kind: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HitError(
      'config-invalid',
      `${setting}: ${file} cannot be read; look at its name and its rights`,
      {
        cause,
      },
    );
  }
  if (new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text)) return text;
  const what = kind === 'KEY' ? 'a private key' : 'a certificate';
  throw new HitError('config-invalid', `${setting}: ${file} does not hold ${what} in PEM`);
}

function check({ cert, key, ca }: TlsContent, certFile: string, keyFile: string): void {
  try {
    createSecureContext({ cert, key, ...(ca !== undefined && { ca }) });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HitError(
      'config-invalid',
      code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? `tls: ${certFile} and ${keyFile} do not belong together: the certificate is for another key`
        : `tls: ${certFile} and ${keyFile} cannot be used (${code ?? 'unknown'})`,
      { cause },
    );
  }
}
