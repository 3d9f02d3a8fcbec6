// Who calls the API server: kube/'s Access, by client certificate or by a service account's token.
import { readFileSync } from 'node:fs';
import type { Access } from '../../kube/transport.ts';
import type { Api } from './api.ts';
import type { Certificate } from './pki.ts';

export function accessByCertificate(server: URL, caFile: string, { certFile, keyFile }: Certificate): Access {
  const tls = { ca: readFileSync(caFile), cert: readFileSync(certFile), key: readFileSync(keyFile) };
  return { server, headers: () => ({}), tls: () => tls };
}

export function accessByToken(server: URL, caFile: string, token: string): Access {
  const tls = { ca: readFileSync(caFile) };
  const headers = { authorization: `Bearer ${token}` };
  return { server, headers: () => headers, tls: () => tls };
}

/** Makes the service account when it is not there. @returns a token of 8 hours */
export async function makeToken(api: Api, namespace: string, name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const made = await api.call('POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  if (made.status !== 201 && made.status !== 409) throw new Error(`service account ${name}: ${made.text}`);
  const answer = await api.json<{ status: { token: string } }>('POST', `${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 8 * 3600 },
  });
  return answer.status.token;
}
