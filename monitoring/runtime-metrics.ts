// Metrics that are not ours by name: those of client-go and controller-runtime, as kube/ has them, of Prometheus itself, and of a process. A test holds the
// operator's to what it registers.
import type { Metric } from '../core/metrics.ts';

const CONTROLLER = { controller: 'webapp' };
const QUEUE = { name: 'webapp', ...CONTROLLER };

export const RUNTIME_METRICS = {
  controller_runtime_reconcile_total: {
    type: 'counter',
    help: 'Passes that ended, by result.',
    labels: { ...CONTROLLER, result: 'success, error, requeue, requeue_after' },
  },
  controller_runtime_reconcile_errors_total: {
    type: 'counter',
    help: 'Passes that ended with an error.',
    labels: CONTROLLER,
  },
  controller_runtime_reconcile_time_seconds: { type: 'histogram', help: 'How long passes took.', labels: CONTROLLER },
  controller_runtime_active_workers: { type: 'gauge', help: 'Passes that are running now.', labels: CONTROLLER },
  controller_runtime_max_concurrent_reconciles: {
    type: 'gauge',
    help: 'Passes that may run at a time.',
    labels: CONTROLLER,
  },
  workqueue_depth: {
    type: 'gauge',
    help: 'Keys that are due and wait for a worker.',
    labels: { ...QUEUE, priority: '0, -100' },
  },
  workqueue_adds_total: { type: 'counter', help: 'Keys added to the queue.', labels: QUEUE },
  workqueue_retries_total: { type: 'counter', help: 'Keys that came back after a failure.', labels: QUEUE },
  workqueue_queue_duration_seconds: { type: 'histogram', help: 'How long keys waited for a worker.', labels: QUEUE },
  workqueue_longest_running_processor_seconds: {
    type: 'gauge',
    help: 'How long the key that is longest in work has been there.',
    labels: QUEUE,
  },
  rest_client_requests_total: {
    type: 'counter',
    help: 'Requests to the API server, tries again included.',
    labels: { code: 'HTTP status', method: 'HTTP method', host: 'the API server' },
  },
  rest_client_request_duration_seconds: {
    type: 'histogram',
    help: 'Seconds until the API server began its answer.',
    labels: { verb: 'HTTP method', host: 'the API server' },
  },
  leader_election_master_status: { type: 'gauge', help: '1: this process leads.', labels: { name: 'of the Lease' } },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of the process.' },
  process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory of the process.' },
} as const satisfies Readonly<Record<string, Metric>>;

/** Label `name` of leader_election_master_status: the operator's Lease. Its controller and queue are `webapp`. */
export const LEASE = 'webapp-operator';
export const CONTROLLER_NAME = 'webapp';
