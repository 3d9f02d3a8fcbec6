// The conditions of a WebApp and every reason they may have, in one table: the operator sets no other, docs/reference.md lists them all.
// By custom of the API (KEP-1623): reasons are CamelCase words for software, the message beside them is for people.

export const CONDITION_TYPES = ['Ready', 'Progressing', 'Degraded', 'ConfigApplied'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

interface Meaning {
  readonly status: 'True' | 'False' | 'Unknown';
  /** One sentence for the reference page. */
  readonly meaning: string;
}

export const REASONS = {
  Ready: {
    Serving: { status: 'True', meaning: 'A proxy and a worker are ready.' },
    NoReadyWorker: { status: 'False', meaning: 'No worker pod is ready.' },
    NoReadyProxy: { status: 'False', meaning: 'No proxy pod is ready.' },
    Suspended: { status: 'False', meaning: '`suspend` is set: the proxy answers with a maintenance page.' },
    ScaledToZero: { status: 'False', meaning: '`replicas` is 0.' },
    Invalid: { status: 'False', meaning: 'The spec cannot be understood by this operator; nothing is changed.' },
  },
  Progressing: {
    Complete: { status: 'False', meaning: 'What is wanted runs.' },
    Migrating: { status: 'True', meaning: 'The migrate Job runs; the version before serves.' },
    PreparingProxy: { status: 'True', meaning: 'Proxy pods with the new version’s static files come up first.' },
    RollingOut: { status: 'True', meaning: 'New pods take the place of old ones.' },
    Scaling: { status: 'True', meaning: 'The number of pods changes.' },
    WaitingForReference: { status: 'True', meaning: 'A Secret or ConfigMap that is referred to is not there yet.' },
    MigrationFailed: { status: 'False', meaning: 'The migrate Job failed; the version before keeps serving.' },
    DeadlineExceeded: { status: 'False', meaning: 'New pods were not ready within `rollout.progressDeadline`.' },
    RolledBack: { status: 'False', meaning: 'A rollout failed and the last whole version was put back.' },
    Suspended: { status: 'False', meaning: '`suspend` is set.' },
    Invalid: { status: 'False', meaning: 'The spec cannot be understood by this operator.' },
  },
  Degraded: {
    AsExpected: { status: 'False', meaning: 'Nothing is known to be wrong.' },
    ImagePull: { status: 'True', meaning: 'An image cannot be pulled.' },
    Crashing: { status: 'True', meaning: 'A container ends again and again; `problems` has its last lines.' },
    Unschedulable: { status: 'True', meaning: 'No node takes a pod.' },
    QuotaExceeded: { status: 'True', meaning: 'A ResourceQuota or LimitRange refuses pods.' },
    PodsRefused: {
      status: 'True',
      meaning: 'The API server refuses pods, for example by pod security or an admission webhook.',
    },
    NotReady: { status: 'True', meaning: 'Pods run, but are not ready in time.' },
    MigrationFailed: { status: 'True', meaning: 'The migrate Job failed; `problems` has its last lines.' },
    RolledBack: { status: 'True', meaning: 'The version of the spec failed; the one before serves.' },
    ReferenceMissing: {
      status: 'True',
      meaning: 'A Secret or ConfigMap that is referred to is missing or may not be read.',
    },
    ApiMissing: { status: 'True', meaning: 'The cluster lacks an API that was asked for, such as HTTPRoute.' },
    Refused: { status: 'True', meaning: 'The API server refuses an object made from the spec.' },
    NameTaken: { status: 'True', meaning: 'An object of a needed name is there and belongs to another.' },
    Certificate: {
      status: 'True',
      meaning: 'The certificate of `proxy.tls` expires soon, has expired, is missing or cannot be read.',
    },
    ProcessesDie: {
      status: 'True',
      meaning:
        'Application processes die while they serve, three or more within ten minutes; `problems` has what the worker says of one.',
    },
    RequestsWait: { status: 'True', meaning: 'Requests wait longer than half a second for a free process.' },
    ConfigRefused: { status: 'True', meaning: 'A program did not take its configuration.' },
    Invalid: { status: 'True', meaning: 'The spec cannot be understood by this operator.' },
  },
  ConfigApplied: {
    Applied: { status: 'True', meaning: 'All workers and proxies that answer run by the current configuration.' },
    Applying: { status: 'False', meaning: 'A worker or a proxy does not run by the current configuration yet.' },
    Refused: { status: 'False', meaning: 'A worker or a proxy refused the configuration and keeps the one before.' },
    Unknown: { status: 'Unknown', meaning: 'No worker has answered yet.' },
  },
} as const satisfies Record<ConditionType, Record<string, Meaning>>;

export type ReasonOf<T extends ConditionType> = Extract<keyof (typeof REASONS)[T], string>;
export type DegradedReason = Exclude<ReasonOf<'Degraded'>, 'AsExpected'>;

/** @returns True, False or Unknown, as the table has it for this reason */
export function statusOf<T extends ConditionType>(type: T, reason: ReasonOf<T>): Meaning['status'] {
  const reasons: Readonly<Record<string, Meaning>> = REASONS[type];
  return reasons[reason]?.status ?? 'Unknown';
}
