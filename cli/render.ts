// `webapp render`: the two documents that a WebApp becomes, as both programs are told them.
import { stringify } from 'yaml';
import { makeProxyConfig } from '../core/config/proxy.ts';
import { makeWorkerConfig } from '../core/config/worker.ts';
import { filesOrHere } from './check.ts';
import { unsetVariables } from './cluster-only.ts';
import { Failure } from './failure.ts';
import { formatFileProblem, type LoadedWebApp, loadManifests } from './manifest.ts';

/** Stands where the place puts its own: `webapp up` the worker's Unix socket, the operator the addresses of the pods. */
const PLACEHOLDER = 'worker.example:8000';

/**
 * @returns YAML documents with comments, or a JSON list of `{name, worker, proxy}`
 * @throws Failure FILE_MISSING | MANIFEST_INVALID
 */
export function render(files: readonly string[], output: 'yaml' | 'json', cwd: string): string {
  const { webApps, problems } = loadManifests(filesOrHere(files, cwd));
  if (problems.length > 0) {
    const detail = problems.map((problem) => formatFileProblem(problem, cwd)).join('\n');
    throw new Failure('MANIFEST_INVALID', 'the manifest is not valid', 'mend what is said above', detail);
  }
  const documents = webApps.map(documentsOf);
  return output === 'json'
    ? `${JSON.stringify(
        documents.map(({ absent: _, ...rest }) => rest),
        null,
        2,
      )}\n`
    : documents.map(yamlOf).join('---\n');
}

function documentsOf({ webApp, source }: LoadedWebApp) {
  return {
    name: webApp.metadata.name,
    absent: unsetVariables(webApp, {}),
    worker: makeWorkerConfig(webApp),
    proxy: makeProxyConfig(webApp, { upstream: [PLACEHOLDER], staticRoots: [source] }),
  };
}

function yamlOf({ name, absent, worker, proxy }: ReturnType<typeof documentsOf>): string {
  const upstream = `# ${PLACEHOLDER} is a placeholder: webapp up puts the worker's Unix socket there, the operator the pods' addresses.\n`;
  const variables = absent.length > 0 ? `# The pods have these from the cluster besides: ${absent.join(', ')}.\n` : '';
  return `# ${name}: worker.json\n${variables}${stringify(worker)}---\n# ${name}: proxy.json\n${upstream}${stringify(proxy)}`;
}
