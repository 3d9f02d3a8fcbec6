// Certificates, keys and kubeconfig files of one throw-away cluster. By openssl: node:crypto reads certificates, but makes none.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Pki {
  readonly caFile: string;
  readonly server: Certificate;
  /** The key that signs tokens of service accounts. */
  readonly serviceAccountKeyFile: string;
  /** A client that is `user` of `group`, as RBAC knows it. */
  client(user: string, group?: string): Certificate;
}

/** The API server as its clients on this machine and in pods call it. */
const SERVER_NAMES = ['IP:127.0.0.1', 'DNS:localhost', 'DNS:kubernetes.default.svc'];

/**
 * @param folder is filled; files are readable by their owner only when the folder is
 * @param serverNames further ones, as `subjectAltName` writes them: `IP:10.96.0.1`
 */
export function makePki(folder: string, serverNames: readonly string[] = []): Pki {
  const ca = { certFile: join(folder, 'ca.crt'), keyFile: join(folder, 'ca.key') };
  issue(ca, '/CN=webapp-operator-test-ca', ['-addext', 'basicConstraints=critical,CA:TRUE']);
  const signed = (name: string, subject: string, ...more: string[]): Certificate => {
    const made = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
    issue(made, subject, ['-CA', ca.certFile, '-CAkey', ca.keyFile, '-addext', 'basicConstraints=CA:FALSE', ...more]);
    return made;
  };
  return {
    caFile: ca.certFile,
    server: signed(
      'apiserver',
      '/CN=kube-apiserver',
      '-addext',
      `subjectAltName=${[...SERVER_NAMES, ...serverNames].join()}`,
    ),
    serviceAccountKeyFile: makeServiceAccountKey(join(folder, 'service-account.key')),
    client: (user, group) =>
      signed(
        user.replaceAll(/[^a-z0-9]+/g, '-'),
        `${group ? `/O=${group}` : ''}/CN=${user}`,
        '-addext',
        'extendedKeyUsage=clientAuth',
      ),
  };
}

function issue(target: Certificate, subject: string, more: readonly string[]): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const out = ['-keyout', target.keyFile, '-out', target.certFile];
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '30', '-subj', subject, ...out, ...more], {
    stdio: 'pipe',
  });
}

function makeServiceAccountKey(path: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(path, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  return path;
}

/** Writes a kubeconfig with everything inside, so that it can be read from anywhere. @returns `path` */
export function writeKubeconfig(path: string, server: URL, pki: Pki, certificate: Certificate): string {
  const data = (file: string): string => readFileSync(file).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
    clusters: [{ name: 'test', cluster: { server: server.origin, 'certificate-authority-data': data(pki.caFile) } }],
    users: [
      {
        name: 'test',
        user: {
          'client-certificate-data': data(certificate.certFile),
          'client-key-data': data(certificate.keyFile),
        },
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}
