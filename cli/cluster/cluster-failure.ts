// What can go wrong between a person and a cluster, as one sentence with its mend. Pure.
import { GROUP } from '../../core/app/schema.ts';
import { KubeError } from '../../kube/errors.ts';
import { Failure } from '../failure.ts';
import { plainText } from '../terminal/plain.ts';

/** @param server URL of the API server; '' before it is known. @returns what to throw: other errors are ours, and stay as they are */
export function clusterFailure(error: unknown, server: string): unknown {
  if (!(error instanceof KubeError)) return error;
  const said = plainText(error.message);
  const [message, mend] = sentences(error, said, server);
  return new Failure('CLUSTER', message, mend);
}

function sentences({ code, status }: KubeError, said: string, server: string): [message: string, mend: string] {
  if (code === 'CREDENTIALS')
    return [said, 'kubectl config get-contexts shows those there are; choose one with --context'];
  if (code === 'NETWORK' || code === 'TIMEOUT')
    return [
      `the API server at ${plainText(server)} cannot be reached: ${said}`,
      'see whether kubectl cluster-info reaches it, or name another cluster with --context',
    ];
  if (status === 401)
    return [
      `the API server does not accept who you are: ${said}`,
      'log in to the cluster anew, or name another context with --context',
    ];
  if (status === 403)
    return [
      `you may not do this: ${said}`,
      'ask whoever runs the cluster for that right, or name another namespace with -n',
    ];
  if (status === 422) return [`the API server refuses it: ${said}`, 'write a value that it takes'];
  return [`the API server answers: ${said}`, 'kubectl get webapps -A shows whether it works for others'];
}

/** A list of WebApps that is not found: there is no such kind. */
export function noOperator(server: string): Failure {
  return new Failure(
    'CLUSTER',
    `the cluster at ${plainText(server)} knows no WebApps: the resource ${GROUP} is not installed`,
    'install the operator (docs/guide-operator.md), or name another cluster with --context',
  );
}
