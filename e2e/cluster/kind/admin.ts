// The administrator's access out of the kubeconfig that kind writes: for calls that are not kubectl's.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Api, makeApi } from '../api.ts';

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));

/** kind writes one cluster and one user into a file of its own. */
const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': base64 }) })]),
  users: z.tuple([z.object({ user: z.object({ 'client-certificate-data': base64, 'client-key-data': base64 }) })]),
});

/** @param folder where the certificates are laid, readable by their owner only */
export function makeAdminApi(kubeconfig: string, folder: string): Api {
  const { clusters, users } = kubeconfigSchema.parse(parse(readFileSync(kubeconfig, 'utf8')));
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const keep = (name: string, content: Buffer): string => {
    const file = join(folder, name);
    if (!existsSync(file)) writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  return makeApi(new URL(cluster.server), keep('ca.crt', cluster['certificate-authority-data']), {
    certFile: keep('admin.crt', user['client-certificate-data']),
    keyFile: keep('admin.key', user['client-key-data']),
  });
}
