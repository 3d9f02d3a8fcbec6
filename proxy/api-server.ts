// Which Kubernetes API server the proxy asks for its workers: the one that its flags tell, or in a pod the pod's own. Pure.
import type { Problem } from '../core/errors.ts';

/** As the flags tell it. */
export interface ToldApiServer {
  /** http or https, without a path. */
  readonly url: URL;
  /** Holds a bearer token. Absent: nobody in particular asks. */
  readonly tokenFile?: string;
  /** Holds PEM certificates. Absent: those that Node knows. */
  readonly caFile?: string;
}

/** As every pod is told of it: KUBERNETES_SERVICE_HOST and _PORT. Token and CA are the pod's ServiceAccount's. */
export interface PodApiServer {
  readonly host: string;
  readonly port: string;
}

export type ApiServer = ToldApiServer | PodApiServer;

/** Values of the flags. */
interface ApiValues {
  readonly 'api-server'?: string | undefined;
  readonly 'api-token-file'?: string | undefined;
  readonly 'api-ca-file'?: string | undefined;
}

/** @returns null when none is told, or what is told is wrong: `problems` has it then */
export function readApiServer(values: ApiValues, problems: Problem[]): ToldApiServer | null {
  const { 'api-server': text, 'api-token-file': tokenFile, 'api-ca-file': caFile } = values;
  for (const [field, value] of Object.entries({ '--api-token-file': tokenFile, '--api-ca-file': caFile })) {
    if (value === '') problems.push({ field, message: 'is empty', mend: 'give the path of a file' });
    else if (value !== undefined && text === undefined)
      problems.push({
        field,
        value,
        message: 'has no --api-server to be for',
        mend: 'add --api-server URL, or remove it',
      });
  }
  if (text === undefined) return null;
  const url = URL.parse(text);
  const wrong = url === null ? 'is not a URL' : faultOfServer(url, tokenFile !== undefined);
  if (url === null || wrong !== null) {
    problems.push({
      field: '--api-server',
      value: text,
      message: wrong ?? '',
      mend: 'write a URL such as https://10.0.0.1:6443',
    });
    return null;
  }
  return { url, ...(tokenFile !== undefined && { tokenFile }), ...(caFile !== undefined && { caFile }) };
}

function faultOfServer(url: URL, hasToken: boolean): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is neither https nor http';
  if (url.username !== '' || url.password !== '') return 'holds a password: tokens come from a file';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return 'has something behind the host';
  if (url.protocol === 'http:' && hasToken && !LOOPBACK.test(url.hostname))
    return 'would show the token to the network';
  return null;
}

const LOOPBACK = /^(localhost|127\.[0-9.]+|\[::1\])$/;
