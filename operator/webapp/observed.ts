// The world as one pass sees it: plain data, gathered by observe.ts, read by the plan. Nothing here is fetched later.

import type { WebApp } from '../../core/app/schema.ts';
import type { Problem } from '../../core/errors.ts';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { WebAppStatus } from '../../core/status/webapp.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import type { Settings } from '../settings.ts';
import type { CertificateTimes } from './certificate.ts';
import type { OptionalKind } from './kinds.ts';
import type { Component } from './names.ts';
import type { Waits } from './waits.ts';

/** A WebApp as the API server has it, defaults filled in. */
export interface LiveWebApp extends Omit<WebApp, 'metadata'> {
  readonly metadata: ObjectMeta & { readonly namespace: string; readonly uid: string; readonly generation: number };
  readonly status?: WebAppStatus;
}

export interface ContainerState {
  readonly name: string;
  readonly init: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** The end of it, or of its predecessor. `message`: its last lines (terminationMessagePolicy: FallbackToLogsOnError). */
  readonly terminated?: { readonly reason: string; readonly exitCode: number; readonly message?: string };
}

/** Of a configuration file that is to be refreshed: annotations `config` and `config-told`. */
export interface Told {
  readonly hash: string;
  /** How often; 0: by whom nobody counted. */
  readonly times: number;
  /** The last time, in milliseconds since the epoch. */
  readonly at: number;
}

/** What is kept of a pod. */
export interface Pod {
  readonly metadata: ObjectMeta & { readonly namespace: string; readonly uid: string };
  readonly webApp: string;
  readonly component: Component;
  /** Label `revision`; '' on pods of a Job. */
  readonly revision: string;
  /** What its kubelet was told last. */
  readonly told?: Told;
  readonly phase: string;
  readonly ip?: string;
  readonly ready: boolean;
  /** Message of PodScheduled=False, reason Unschedulable. */
  readonly unschedulable?: string;
  readonly containers: readonly ContainerState[];
}

/** A Secret or ConfigMap that the spec refers to. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** Path of the first field that names it, such as `spec.env[2].valueFrom.secretKeyRef`. */
  readonly field: string;
  /** Keys that must be in it. */
  readonly keys: readonly string[];
  readonly state: 'present' | 'missing' | 'forbidden' | 'unknown';
  /** Of its content, when present. */
  readonly hash?: string;
  /** Of `keys`, those that are not in it. */
  readonly missingKeys: readonly string[];
  /** The API server's words, when forbidden. */
  readonly message?: string;
}

/** The Secret with the certificate of the hosts. */
export interface ServedCertificate {
  readonly secret: string;
  readonly webApp: string;
  /** Path of the field that names it, or its issuer. */
  readonly field: string;
  /** cert-manager makes and renews it. */
  readonly issued: boolean;
  readonly state: Reference['state'];
  /** When present; undefined: it holds no certificate that can be read. */
  readonly times?: CertificateTimes;
}

export type Death = WorkerStatus['deaths'][number];

/** What the worker of one pod told last. Of its deaths the latest few that were faults. */
export interface WorkerReport {
  readonly component: 'worker';
  readonly pod: string;
  readonly uid: string;
  readonly status: WorkerStatus;
  /** Deaths until then (the pod's clock) were there when a pass was last done with its report; undefined: none had it. */
  readonly heardTo?: number;
  /** Undefined: it never told of requests that wait long. */
  readonly waits?: Waits;
}

/** What a proxy told last, as far as it is kept. */
export interface ProxyReport {
  readonly component: 'proxy';
  readonly pod: string;
  readonly uid: string;
  readonly status: Pick<ProxyStatus, 'state' | 'config'>;
}

export type PodReport = WorkerReport | ProxyReport;

export interface Observed {
  readonly webApp: LiveWebApp;
  /** What the schema of this operator has against the spec; then `webApp.spec` must not be looked at. */
  readonly invalid: readonly Problem[];
  /** Live objects of all kinds of kinds.ts that this WebApp controls (by uid), without managedFields. */
  readonly children: readonly KubeObject[];
  readonly pods: readonly Pod[];
  readonly references: readonly Reference[];
  /** When spec.proxy.tls is set. */
  readonly certificate?: ServedCertificate;
  /** Of those pods that answered. */
  readonly reports: readonly PodReport[];
  /** Optional kinds that the cluster has. */
  readonly apis: ReadonlySet<OptionalKind>;
  readonly settings: Settings;
}
