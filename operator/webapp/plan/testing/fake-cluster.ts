// A cluster of one WebApp for tests of the plan, in memory: it carries changes out as the API server would, holding the plan to what the API forbids, and plays the
// Deployment and Job controllers and the kubelet step by step. How an image behaves is in its name: absent…, crash…, failing… and slow… (as a migration).
import { isDeepStrictEqual } from 'node:util';
import { statusOf } from '../../../../core/app/conditions.ts';
import { type WebAppStatus, webAppStatusSchema } from '../../../../core/status/webapp.ts';
import type { AppliedConfig, WorkerStatus } from '../../../../core/status/worker.ts';
import type { KubeObject } from '../../../../kube/object.ts';
import type { Change, Plan } from '../../changes.ts';
import type { ChildKind } from '../../kinds.ts';
import { ANNOTATION, type Component, LABEL, names } from '../../names.ts';
import type {
  ContainerState,
  LiveWebApp,
  Observed,
  Pod,
  PodReport,
  Reference,
  ServedCertificate,
} from '../../observed.ts';
import { referencesOf } from '../../render/render.ts';
import { ALL_APIS, deepFreeze, liveWebApp, SETTINGS } from '../../render/testing/samples.ts';
import { nextWaits, type Waits } from '../../waits.ts';
import { withFailures } from '../failures.ts';
import { planWebApp } from '../plan.ts';

import { nameOf, nextToLeave, type PodTemplate, pulling, started, WORKER_STATUS } from './played-pods.ts';

export const NOON = Date.parse('2026-11-22T12:00:00Z');

interface DeploymentSpec {
  readonly replicas: number;
  readonly template: PodTemplate;
}
interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly object[];
}

export type ReferenceState = Pick<Reference, 'state'> & Partial<Pick<Reference, 'hash' | 'missingKeys' | 'message'>>;

export class FakeCluster {
  webApp: LiveWebApp;
  readonly children = new Map<string, KubeObject>();
  pods: Pod[] = [];
  /** Pods that ended and were left; no controller looks at them. */
  evicted: Pod[] = [];
  /** By `Kind/name`; what is not in it is present with the hash `1`. */
  readonly references = new Map<string, ReferenceState>();
  /** What each worker tells, when it is asked; undefined: none answers. */
  tells: ((pod: Pod, cluster: FakeCluster) => Partial<WorkerStatus>) | undefined;
  /** The same of each proxy. */
  proxiesTell: ((pod: Pod) => Partial<AppliedConfig>) | undefined;
  certificate: ServedCertificate | undefined;
  apis: Observed['apis'] = ALL_APIS;
  invalid: Observed['invalid'] = [];
  wall = NOON;
  /** Passes without progress after which a rollout is late. */
  deadline = 6;
  #versions = 1;
  #stuck = new Map<string, number>();
  readonly #heardTo = new Map<string, number>();
  readonly #waits = new Map<string, { status: WorkerStatus; waits: Waits | undefined }>();

  constructor(spec: object = {}, metadata: object = {}) {
    this.webApp = liveWebApp(spec, metadata);
  }

  /** The person's next manifest. */
  edit(spec: object, annotations: Readonly<Record<string, string>> = {}): void {
    const generation = this.webApp.metadata.generation + 1;
    const next = liveWebApp(spec, { generation, annotations });
    this.webApp = { ...next, ...(this.webApp.status && { status: this.webApp.status }) };
  }

  observe(): Observed {
    const references = referencesOf(this.webApp).map((named): Reference => {
      const state = this.references.get(`${named.kind}/${named.name}`) ?? { state: 'present', hash: '1' };
      return { ...named, missingKeys: [], ...state };
    });
    return deepFreeze(
      structuredClone({
        webApp: this.webApp,
        invalid: this.invalid,
        children: [...this.children.values()],
        pods: [...this.pods, ...this.evicted],
        references,
        ...(this.certificate && { certificate: this.certificate }),
        reports: this.#reports(),
        apis: this.apis,
        settings: SETTINGS,
      }),
    );
  }

  plan(): Plan {
    return planWebApp(this.observe(), this.wall);
  }

  /** One pass of the operator. @returns the plan that was carried out */
  pass(): Plan {
    const plan = this.plan();
    for (const change of plan.changes) this.carryOut(change);
    this.report(withFailures(plan.status, [], this.webApp.status, this.wall));
    for (const report of this.#reports())
      if (report.component === 'worker') this.#heardTo.set(report.uid, report.status.deaths[0]?.at ?? 0);
    this.wall += 1_000;
    return plan;
  }

  /** Passes and steps of the controllers until neither has anything to do. @returns all plans */
  settle(most = 80): Plan[] {
    const plans: Plan[] = [];
    for (let round = 0; round < most; round++) {
      const before = this.webApp.status;
      const plan = this.pass();
      plans.push(plan);
      const moved = this.step();
      if (!moved && plan.changes.length === 0 && isDeepStrictEqual(before, this.webApp.status)) return plans;
    }
    const last = plans.at(-1);
    throw new Error(`no rest after ${most} passes: ${JSON.stringify(last?.changes)} ${JSON.stringify(last?.status)}`);
  }

  report(status: WebAppStatus): void {
    webAppStatusSchema.parse(status);
    for (const { type, status: is, reason } of status.conditions ?? [])
      if (statusOf(type, reason as never) !== is) throw new Error(`${type} ${reason} is not in the table`);
    this.webApp = { ...this.webApp, status: structuredClone(status) };
  }

  child(kind: ChildKind, name: string): KubeObject | undefined {
    return this.children.get(`${kind}/${name}`);
  }

  names(kind: ChildKind): string[] {
    return [...this.children.values()]
      .filter((one) => one.kind === kind)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  /** What another does to a child. */
  patch(kind: ChildKind, name: string, change: (object: KubeObject) => object): void {
    const object = this.child(kind, name);
    if (!object) throw new Error(`there is no ${kind} ${name}`);
    this.#store({ ...object, ...change(structuredClone(object)) } as KubeObject);
  }

  remove(kind: ChildKind, name: string): void {
    if (!this.children.delete(`${kind}/${name}`)) throw new Error(`there is no ${kind} ${name}`);
    if (kind === 'Deployment') this.pods = this.pods.filter(({ component }) => name !== deploymentOf(component));
  }

  carryOut(change: Change): void {
    if (change.verb === 'apply') this.#apply(change);
    else if (change.verb === 'handOver') this.#handOver(change);
    else if (change.verb === 'delete') this.#delete(change);
    else
      this.pods = this.pods.map((pod) => (pod.metadata.uid === change.pod.uid ? { ...pod, told: change.told } : pod));
  }

  #handOver({ object }: Change & { verb: 'handOver' }): void {
    const { replicas } = object['spec'] as { replicas: number };
    this.patch('Deployment', object.metadata.name, (live) => ({ spec: { ...(live['spec'] as object), replicas } }));
  }

  #delete({ kind, seen }: Change & { verb: 'delete' }): void {
    const live = this.child(kind, seen.name)?.metadata;
    if (live?.uid !== seen.uid || live?.resourceVersion !== seen.resourceVersion)
      throw new Error(`deletes another ${kind} than was seen`);
    this.remove(kind, seen.name);
  }

  #apply({ object, create }: Change & { verb: 'apply' }): void {
    const { kind } = object;
    const live = this.children.get(`${kind}/${object.metadata.name}`);
    if (create !== (live === undefined)) throw new Error(`${kind} ${object.metadata.name}: create is ${create}`);
    if (live?.metadata.deletionTimestamp) throw new Error(`${kind} ${object.metadata.name} is being deleted`);
    if (live) assertMutable(live, object);
    if (kind === 'Deployment') this.#assertReady(object);
    const spec = object['spec'] as { replicas?: number } | undefined;
    const kept = (live?.['spec'] as { replicas?: number } | undefined)?.replicas ?? 1;
    this.#store({
      ...object,
      metadata: { ...live?.metadata, ...object.metadata },
      ...(live?.['status'] !== undefined && { status: live['status'] }),
      ...(kind === 'Deployment' && { spec: { ...spec, replicas: spec?.replicas ?? kept } }),
    });
  }

  /** What its pods use must be there. */
  #assertReady(object: KubeObject): void {
    const { template } = object['spec'] as DeploymentSpec;
    const component = object.metadata.labels?.[LABEL.component] === 'proxy' ? 'proxy' : 'worker';
    const id = template.metadata.labels[LABEL.revision] ?? '';
    const needed = [
      `ControllerRevision/${names.revision(this.webApp.metadata.name, component, id)}`,
      ...(template.spec.volumes ?? []).flatMap(({ configMap }) =>
        configMap?.name.startsWith(this.webApp.metadata.name) ? [`ConfigMap/${configMap.name}`] : [],
      ),
    ];
    for (const key of needed) if (!this.children.has(key)) throw new Error(`${key} is used before it is there`);
  }

  #store(object: KubeObject): void {
    const key = `${object.kind}/${object.metadata.name}`;
    const live = this.children.get(key);
    const changed = !isDeepStrictEqual(live?.['spec'], object['spec']);
    const version = this.#versions++;
    this.children.set(key, {
      ...object,
      metadata: {
        ...object.metadata,
        uid: live?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
        generation: (live?.metadata.generation ?? 0) + (changed ? 1 : 0),
      },
    });
  }

  /** One step of the controllers and kubelets. @returns whether anything moved */
  step(): boolean {
    const before = structuredClone([
      this.pods,
      [...this.children.values()].map((child) => child['status']),
      [...this.#stuck],
    ]);
    for (const child of [...this.children.values()]) {
      if (child.kind === 'Deployment') this.#stepDeployment(child);
      if (child.kind === 'Job') this.#stepJob(child);
    }
    return !isDeepStrictEqual(before, [
      this.pods,
      [...this.children.values()].map((child) => child['status']),
      [...this.#stuck],
    ]);
  }

  #stepDeployment(deployment: KubeObject): void {
    const { replicas, template } = deployment['spec'] as DeploymentSpec;
    const component = deployment.metadata.labels?.[LABEL.component] as Component;
    const revision = template.metadata.labels[LABEL.revision] ?? '';
    const own = () => this.pods.filter((pod) => pod.component === component);
    const isNew = (pod: Pod) => pod.revision === revision;
    this.pods = this.pods.map((pod) => (pod.component === component && isNew(pod) ? started(pod, template) : pod));
    const leaving = nextToLeave(own(), isNew, replicas);
    if (leaving) this.pods = this.pods.filter((pod) => pod !== leaving);
    const surge = own().every(isNew) ? 0 : 1;
    if (own().filter(isNew).length < replicas && own().length < replicas + surge) this.#addPod(component, revision);
    this.#tellRollout(deployment, replicas, own(), own().filter(isNew));
  }

  #addPod(component: Component, revision: string): void {
    const number = this.#versions++;
    const metadata = { name: `shop-${component}-${number}`, namespace: 'web', uid: `pod-${number}` };
    const base = { metadata, webApp: 'shop', component, revision, phase: 'Pending', ready: false, containers: [] };
    this.pods = [...this.pods, base];
  }

  #tellRollout(deployment: KubeObject, replicas: number, all: readonly Pod[], fresh: readonly Pod[]): void {
    const ready = all.filter((pod) => pod.ready).length;
    const last = (deployment['status'] ?? {}) as DeploymentStatus;
    const before = (last.conditions?.[0] as { reason?: string } | undefined)?.reason;
    const whole = fresh.length === replicas && all.length === replicas && fresh.every((pod) => pod.ready);
    const stays = before === 'NewReplicaSetAvailable' && all.length === fresh.length;
    const status = {
      observedGeneration: deployment.metadata.generation ?? 1,
      replicas: all.length,
      updatedReplicas: fresh.length,
      readyReplicas: ready,
      availableReplicas: ready,
    };
    const { conditions: _, ...counts } = last;
    const key = deployment.metadata.name;
    const stuck =
      isDeepStrictEqual(counts, status) && !whole ? Math.min(this.deadline, (this.#stuck.get(key) ?? 0) + 1) : 0;
    this.#stuck.set(key, stuck);
    const reason =
      whole || stays
        ? 'NewReplicaSetAvailable'
        : stuck >= this.deadline
          ? 'ProgressDeadlineExceeded'
          : 'ReplicaSetUpdated';
    this.children.set(`Deployment/${key}`, {
      ...deployment,
      status: { ...status, conditions: [{ type: 'Progressing', status: 'True', reason }] },
    });
  }

  #stepJob(job: KubeObject): void {
    const { template } = job['spec'] as { template: PodTemplate };
    const image = nameOf(template.spec.containers[0]?.image ?? '');
    const pod = this.pods.find(({ metadata }) => metadata.name.startsWith(`${job.metadata.name}-`));
    if (pod === undefined) {
      this.#setJobPod(
        job,
        undefined,
        image === 'absent' ? 'Pending' : 'Running',
        image === 'absent' ? [pulling('migrate')] : [],
      );
    } else if (pod.phase === 'Running' && image === 'failing') {
      const terminated = { reason: 'Error', exitCode: 1, message: 'upgrading\nOperationalError: connection refused' };
      this.#setJobPod(job, pod, 'Failed', [{ name: 'migrate', init: false, ready: false, restarts: 0, terminated }]);
      this.#endJob(job, 'Failed');
    } else if (pod.phase === 'Running' && image !== 'slow') {
      this.#setJobPod(job, pod, 'Succeeded', []);
      this.#endJob(job, 'Complete');
    }
  }

  #setJobPod(job: KubeObject, pod: Pod | undefined, phase: string, containers: ContainerState[]): void {
    const fresh = { name: `${job.metadata.name}-x`, namespace: 'web', uid: `pod-${this.#versions++}` };
    const metadata = pod?.metadata ?? fresh;
    const next: Pod = { metadata, webApp: 'shop', component: 'migrate', revision: '', phase, ready: false, containers };
    this.pods = [...this.pods.filter((one) => one !== pod), next];
  }

  #endJob(job: KubeObject, type: 'Complete' | 'Failed'): void {
    const message = 'Job has reached the specified backoff limit';
    const status = { conditions: [{ type, status: 'True', message }] };
    this.children.set(`Job/${job.metadata.name}`, { ...job, status });
  }

  #reports(): PodReport[] {
    if (this.tells === undefined) this.#waits.clear();
    return this.pods.flatMap((pod): PodReport[] => {
      const { component, ready, metadata, revision } = pod;
      const [name, uid] = [metadata.name, metadata.uid];
      if (!ready) return [];
      if (component === 'worker' && this.tells) {
        const config = { hash: this.configHash(revision), appliedAt: 0 };
        const status = { ...WORKER_STATUS, config, ...this.tells(pod, this) };
        const heardTo = this.#heardTo.get(uid);
        const last = this.#waits.get(uid);
        const waits = nextWaits(last?.waits, last?.status, status, this.wall);
        this.#waits.set(uid, { status, waits });
        return [
          { component, pod: name, uid, status, ...(heardTo !== undefined && { heardTo }), ...(waits && { waits }) },
        ];
      }
      if (component === 'proxy' && this.proxiesTell) {
        const config = { hash: this.#hashIn('shop-proxy', 'proxy.json'), appliedAt: 0, ...this.proxiesTell(pod) };
        return [{ component, pod: name, uid, status: { state: 'running', config } }];
      }
      return [];
    });
  }

  /** Hash in the ConfigMap of a version of the worker. */
  configHash(revision: string): string {
    return this.#hashIn(names.workerConfig('shop', revision), 'worker.json');
  }

  #hashIn(configMap: string, file: string): string {
    const data = this.child('ConfigMap', configMap)?.['data'] as Record<string, string> | undefined;
    return (JSON.parse(data?.[file] ?? '{"hash":""}') as { hash: string }).hash;
  }
}

function assertMutable(live: KubeObject, object: KubeObject): void {
  const fixed = (field: string, of: (one: KubeObject) => unknown) => {
    if (!isDeepStrictEqual(of(live), of(object)))
      throw new Error(`${object.kind} ${object.metadata.name}: ${field} is immutable`);
  };
  if (object.kind === 'ControllerRevision') fixed('data', (one) => one['data']);
  if (object.kind === 'Job') fixed('spec', (one) => one['spec']);
  if (object.kind === 'Deployment') fixed('spec.selector', (one) => (one['spec'] as { selector: unknown }).selector);
  if (live.metadata.annotations?.[ANNOTATION.intent] === undefined) throw new Error('no intent was written');
}

function deploymentOf(component: Component): string {
  return `shop-${component}`;
}
