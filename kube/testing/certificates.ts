// Certificates for tests of TLS, made by openssl in a folder of the test's own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  /** PEM. */
  readonly ca: string;
  /** A server certificate for 127.0.0.1 and localhost, and for clients the same. */
  issue(name: string): { readonly key: string; readonly cert: string };
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** @param folder one that is there and is removed by the caller */
export function makeAuthority(folder: string, name: string): Authority {
  const file = (leaf: string): string => join(folder, leaf);
  const [caKey, caCert] = [file(`${name}.key`), file(`${name}.crt`)];
  openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', caKey, '-out', caCert);
  return {
    ca: readFileSync(caCert, 'utf8'),
    issue(leaf) {
      const [key, cert] = [file(`${name}-${leaf}.key`), file(`${name}-${leaf}.crt`)];
      const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-addext', 'basicConstraints=CA:FALSE'];
      const signed = ['-x509', '-CA', caCert, '-CAkey', caKey, '-days', '2', '-subj', `/CN=${leaf}`];
      openssl('req', ...signed, ...KEY, ...names, '-keyout', key, '-out', cert);
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    },
  };
}

function openssl(...parameters: string[]): void {
  execFileSync('openssl', parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
