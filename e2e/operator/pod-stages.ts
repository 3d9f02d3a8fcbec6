// How kwok plays pods in the tests of rollouts: by the name of their image, before its tag.
//   absent:…   cannot be pulled          crash:…   ends again and again, with a traceback as its last words
//   slow:…     a Job's pod goes on       failing:… a Job's pod ends with 1
// Any other becomes Ready at once; a Job's pod then completes.
import { stringify } from 'yaml';

export const LAST_WORDS = [
  'starting',
  '{"level":"error","msg":"the worker cannot start","code":"BOOT_FAILED","reason":"ModuleNotFoundError: No module named \'flask\'","mend":"install flask"}',
].join('\n');
export const MIGRATION_WORDS = 'sqlalchemy.exc.OperationalError: connection refused';

const NAME_OF_IMAGE = '.spec.containers.[0].image | split(":") | .[0]';
const ODD = ['absent', 'crash'];

interface Match {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

const ALIVE: Match = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const PENDING: Match = { key: '.status.phase', operator: 'In', values: ['Pending'] };
const RUNNING: Match = { key: '.status.phase', operator: 'In', values: ['Running'] };
const OF_JOB: Match = { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] };
const image = (operator: 'In' | 'NotIn', ...values: string[]): Match => ({ key: NAME_OF_IMAGE, operator, values });
/** A stage that has been played is not played again. */
const notYet = (reason: string): Match => ({
  key: '.status.containerStatuses.[].state.waiting.reason',
  operator: 'NotIn',
  values: [reason],
});

function stage(name: string, matchExpressions: readonly Match[], next: object): string {
  return stringify({
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind: 'Pod' }, selector: { matchExpressions }, next },
  });
}

const READY = `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: true, restartCount: 0, state: {running: {startedAt: {{ $now | Quote }}}}}
{{ end }}
{{ $ips := PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
{{ with $ips }}
podIP: {{ index . 0 | Quote }}
podIPs: [{ip: {{ index . 0 | Quote }}}]
{{ end }}
`;

function notReady(state: string): string {
  return `
{{ $now := Now }}
phase: Pending
startTime: {{ $now | Quote }}
conditions:
- {type: Ready, status: "False", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 4
${state.replaceAll(/^/gm, '  ')}
{{ end }}
`;
}

function ended(phase: string, exitCode: number, reason: string, message: string): string {
  return `
{{ $now := Now }}
phase: ${phase}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state: {terminated: {exitCode: ${exitCode}, reason: ${reason}, message: ${JSON.stringify(message)}, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
`;
}

const PULL_STATE = `state: {waiting: {reason: ImagePullBackOff, message: 'Back-off pulling image "absent": not found'}}`;
const CRASH_STATE = `state: {waiting: {reason: CrashLoopBackOff, message: back-off 40s restarting failed container}}
lastState: {terminated: {exitCode: 3, reason: Error, message: ${JSON.stringify(LAST_WORDS)}, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}`;

export const POD_STAGES = [
  stage('pod-ready', [ALIVE, PENDING, image('NotIn', ...ODD)], { statusTemplate: READY }),
  stage('pod-complete', [ALIVE, RUNNING, OF_JOB, image('NotIn', 'failing', 'slow')], {
    statusTemplate: ended('Succeeded', 0, 'Completed', ''),
  }),
  stage('pod-failing', [ALIVE, RUNNING, OF_JOB, image('In', 'failing')], {
    statusTemplate: ended('Failed', 1, 'Error', MIGRATION_WORDS),
  }),
  stage('pod-absent', [ALIVE, PENDING, image('In', 'absent'), notYet('ImagePullBackOff')], {
    statusTemplate: notReady(PULL_STATE),
  }),
  stage('pod-crash', [ALIVE, PENDING, image('In', 'crash'), notYet('CrashLoopBackOff')], {
    statusTemplate: notReady(CRASH_STATE),
  }),
  stage('pod-delete', [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], { delete: true }),
].join('---\n');
