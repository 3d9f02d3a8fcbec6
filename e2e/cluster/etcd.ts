// etcd's JSON gateway (/v3/kv/…): the little that tests do with it behind the API server's back.

/**
 * Makes it forget all revisions before the present one.
 * @param endpoint such as `http://127.0.0.1:2379`
 * @returns the revision
 */
export async function compactEtcd(endpoint: string): Promise<number> {
  // A read of any key answers with the store's revision; int64 are strings in the gateway's JSON.
  const { header } = await post<{ header: { revision: string } }>(`${endpoint}/v3/kv/range`, {
    key: Buffer.from('/').toString('base64'),
  });
  await post(`${endpoint}/v3/kv/compaction`, { revision: header.revision, physical: true });
  return Number(header.revision);
}

async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
