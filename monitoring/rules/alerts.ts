// The alerts. Each says in its description what is the matter with which WebApp, by which cause; docs/runbooks/ has a page for each name. Thresholds are here and nowhere else.
import { type DegradedReason, REASONS } from '../../core/app/conditions.ts';
import { FAULTS } from '../../core/errors.ts';
import { CAUSE_WORDS } from '../../core/status/death-causes.ts';
import { ANSWERED_SO, TROUBLES } from '../../core/status/troubles.ts';
import { LONG_WAIT_MS } from '../../core/status/waiting.ts';
import { DEATH_CAUSES } from '../../core/status/worker.ts';
import { toldByOperator, WEBAPP_LABELS } from '../measures.ts';
import {
  absent,
  combine,
  gauge,
  increase,
  labelled,
  max,
  NOW,
  number,
  or,
  type ProgramName,
  type Promql,
  placeholder,
  rate,
  sum,
} from '../promql.ts';
import { CONTROLLER_NAME, LEASE } from '../runtime-metrics.ts';
import { QUEUE_TIME_RECORD, ratioRecord, recorded, SATURATION_RECORD, type Window } from './recordings.ts';
import type { Alert } from './rule.ts';
import type { RuleSettings } from './settings.ts';

export type Severity = 'critical' | 'warning';

interface Definition {
  readonly severity: Severity;
  readonly expr: Promql;
  /** How long it must hold. */
  readonly hold: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** One line. Both are Go templates. */
  readonly summary: string;
  readonly description: string;
}

/** Name → the rules of that name, the more urgent first. */
type Definitions = Readonly<Record<string, (settings: RuleSettings) => readonly Definition[]>>;

const DAY_S = 86_400;
const CRASHING: DegradedReason = 'Crashing';
/** 1 of the replica that leads, 0 of the others. */
const LEADS = gauge('leader_election_master_status', { name: LEASE });
const WHO = '{{ $labels.namespace }}/{{ $labels.webapp }}';
const told = (by: readonly string[]) => ({ where: {}, by: [...WEBAPP_LABELS, ...by] });
const is = (expr: Promql, value: number): Promql => combine(expr, '==', number(value));

const SERVED_ON = 'Applications go on serving; changes to WebApps are not carried out.';

/** Burn rates and windows of the SRE workbook, chapter 5: the share of a month's budget that is gone by then is 2, 5, 10 and 10 %. */
const BURNS: readonly { rate: number; long: Window; short: Window; severity: Severity; hold: string }[] = [
  { rate: 14.4, long: '1h', short: '5m', severity: 'critical', hold: '2m' },
  { rate: 6, long: '6h', short: '30m', severity: 'critical', hold: '15m' },
  { rate: 3, long: '1d', short: '2h', severity: 'warning', hold: '1h' },
  { rate: 1, long: '3d', short: '6h', severity: 'warning', hold: '3h' },
];

export const ALERTS = {
  WebAppErrorBudgetBurn: ({ budget, objective, time }) =>
    BURNS.map(({ rate: burn, long, short, severity, hold }) => {
      const limit = combine(number(burn), '*', placeholder(budget));
      const above = (window: Window): Promql => combine(recorded(ratioRecord(window)), '>', limit);
      return {
        severity,
        expr: combine(above(long), 'and', above(short)),
        hold,
        labels: { window: long },
        summary: `Too many requests to ${WHO} fail`,
        description: `${TROUBLES.errors.words} {{ $value | humanizePercentage }} of the requests to ${WHO} failed over ${long}, and no fewer in the last ${short}. ${mostlyBecause(time('10m'))} ${objective} % are to succeed: at this rate the errors of 30 days are used up in ${budgetGoneIn(burn)}.`,
      };
    }),

  WebAppRequestsWait: () => [
    {
      severity: 'warning',
      expr: combine(recorded(QUEUE_TIME_RECORD), '>', number(LONG_WAIT_MS / 1_000)),
      hold: '10m',
      summary: `Requests to ${WHO} wait for a free process`,
      description: `${WHO}: ${TROUBLES.wait.words} One in 20 waits {{ $value | humanizeDuration }} or longer.`,
    },
  ],

  WebAppSaturated: () => [
    {
      severity: 'warning',
      expr: combine(recorded(SATURATION_RECORD), '>', number(0.9)),
      hold: '15m',
      summary: `${WHO} has hardly a free process`,
      description: `{{ $value | humanizePercentage }} of what the processes of ${WHO} can serve at a time is in use: a little more traffic, and requests wait.`,
    },
  ],

  WebAppCrashLoop: ({ time }) => [
    {
      severity: 'critical',
      expr: combine(deaths(time('10m')), '>=', number(3)),
      hold: '0s',
      summary: `Processes of ${WHO} die again and again: {{ $labels.cause }}`,
      description: `{{ printf "%.0f" $value }} times within 10 minutes a process of ${WHO} ${causeWords()}. \`webapp status {{ $labels.webapp }} -n {{ $labels.namespace }}\` tells of each in a sentence.`,
    },
    {
      severity: 'critical',
      expr: combine(toldByOperatorOf('webapp_operator_problems', { type: CRASHING }), '>', number(0)),
      hold: '1m',
      labels: { cause: CRASHING },
      summary: `Containers of ${WHO} end again and again`,
      description: `${WHO}: ${REASONS.Degraded.Crashing.meaning}`,
    },
  ],

  WebAppNoReadyProcess: () => [
    {
      severity: 'critical',
      expr: noReadyProcess(),
      hold: '1m',
      labels: { seen_by: 'worker' },
      summary: `No process of ${WHO} is ready`,
      description: `${WHO}: ${TROUBLES.noProcess.words} Requests wait in the proxy, and fail after that.`,
    },
    {
      severity: 'critical',
      expr: is(condition('Ready', 'False', ['NoReadyWorker', 'NoReadyProxy']), 1),
      hold: '1m',
      labels: { seen_by: 'operator' },
      summary: `${WHO} is not ready: {{ $labels.reason }}`,
      description: `${WHO} serves no requests. ${meanings('Ready')}`,
    },
  ],

  WebAppWorkerUnreachable: () => [
    {
      severity: 'warning',
      expr: combine(max(WEBAPP_LABELS, gauge('webapp_proxy_endpoints', { state: 'failing' })), '>', number(0)),
      hold: '5m',
      summary: `A proxy of ${WHO} does not reach a worker`,
      description: `${WHO}: ${TROUBLES.unreached.words} Of those that are said to be ready that is so of {{ $value }}.`,
    },
  ],

  WebAppCertificateExpires: () => [expires('critical', 2), expires('warning', 14)],

  WebAppRolloutStuck: () => [
    {
      severity: 'critical',
      expr: is(condition('Progressing', 'False', ['DeadlineExceeded', 'RolledBack', 'MigrationFailed']), 1),
      hold: '1m',
      summary: `The newest version of ${WHO} does not serve: {{ $labels.reason }}`,
      description: `${WHO}: ${meanings('Progressing')}`,
    },
    {
      severity: 'warning',
      expr: is(
        condition('Progressing', 'True', ['Migrating', 'PreparingProxy', 'RollingOut', 'WaitingForReference']),
        1,
      ),
      hold: '30m',
      summary: `The rollout of ${WHO} does not come to an end: {{ $labels.reason }}`,
      description: `For half an hour, of ${WHO}: ${meanings('Progressing')}`,
    },
  ],

  WebAppConfigNotApplied: () => [
    {
      severity: 'warning',
      expr: is(refusals(), 1),
      hold: '5m',
      labels: { seen_by: 'program' },
      summary: `A program of ${WHO} refused its newest configuration`,
      description: `${WHO}: ${TROUBLES.refused.words} It is a {{ $labels.program }}; its log says which field it is.`,
    },
    {
      severity: 'warning',
      expr: is(condition('ConfigApplied', 'False', ['Applying', 'Refused']), 1),
      hold: '10m',
      labels: { seen_by: 'operator' },
      summary: `The configuration of ${WHO} is not in force everywhere: {{ $labels.reason }}`,
      description: `${WHO}: ${meanings('ConfigApplied')}`,
    },
  ],

  WebAppOperatorNotReconciling: ({ time }) => [
    {
      severity: 'critical',
      expr: absent(LEADS),
      hold: '5m',
      labels: { cause: 'no operator' },
      summary: 'No webapp-operator is to be seen',
      description: `Prometheus scrapes no webapp-operator: it does not run, or is not found. ${SERVED_ON}`,
    },
    {
      severity: 'critical',
      expr: is(
        labelled(
          max(['namespace', 'job'], gauge('leader_election_master_status', { name: LEASE })),
          'cause',
          'no leader',
        ),
        0,
      ),
      hold: '2m',
      summary: 'No webapp-operator leads',
      description: `Replicas of the webapp-operator run and none holds the Lease, so none works. ${SERVED_ON}`,
    },
    {
      severity: 'critical',
      expr: queueStandsStill(time('10m')),
      hold: '10m',
      labels: { cause: 'queue stands still' },
      summary: 'The webapp-operator does not get on',
      description: `WebApps wait in the queue of the operator {{ $labels.instance }}, or one has been in work for minutes, and no pass ends. ${SERVED_ON}`,
    },
  ],
} as const satisfies Definitions;

export type AlertName = keyof typeof ALERTS;

export function makeAlerts(settings: RuleSettings): Alert[] {
  const all: Definitions = ALERTS;
  return Object.entries(all).flatMap(([name, define]) =>
    define(settings).map(({ severity, expr, hold, labels, summary, description }) => ({
      alert: name,
      expr: expr.text,
      for: settings.time(hold),
      labels: { severity, ...labels },
      annotations: { summary, description, runbook_url: `${settings.runbooks}/${name}.md` },
    })),
  );
}

function budgetGoneIn(burn: number): string {
  const days = 30 / burn;
  return days >= 3 ? `${Math.round(days)} days` : `${Math.round(days * 24)} hours`;
}

function deaths(window: string): Promql {
  return sum(
    [...WEBAPP_LABELS, 'cause'],
    increase('webapp_worker_process_ends_total', { cause: DEATH_CAUSES }, window),
  );
}

function noReadyProcess(): Promql {
  const processes = (state: string): Promql => sum(WEBAPP_LABELS, gauge('webapp_worker_processes', { state }));
  return combine(is(processes('ready'), 0), 'and', combine(processes('desired'), '>', number(0)));
}

function expires(severity: Severity, days: number): Definition {
  const left = combine(
    toldByOperator('webapp_operator_certificate_expiry_timestamp_seconds', told(['secret'])),
    '-',
    NOW,
  );
  return {
    severity,
    expr: combine(left, '<', number(days * DAY_S)),
    hold: '10m',
    summary: `The certificate of ${WHO} is near its end`,
    description: `The certificate in Secret {{ $labels.secret }} of ${WHO} expires in {{ $value | humanizeDuration }}. Browsers refuse the site from then on.`,
  };
}

function condition<T extends keyof typeof REASONS>(
  type: T,
  status: string,
  reasons: readonly Extract<keyof (typeof REASONS)[T], string>[],
): Promql {
  return toldByOperatorOf('webapp_operator_condition', { type, status, reason: reasons }, ['reason']);
}

function toldByOperatorOf(
  name: 'webapp_operator_condition' | 'webapp_operator_problems',
  where: Parameters<typeof gauge>[1] & object,
  by: readonly string[] = [],
): Promql {
  return toldByOperator(name, { where, by: [...WEBAPP_LABELS, ...by] });
}

function refusals(): Promql {
  const of = (program: 'proxy' | 'worker'): Promql =>
    labelled(max([...WEBAPP_LABELS, 'pod'], gauge(`webapp_${program}_config_refused`)), 'program', program);
  return or(of('worker'), of('proxy'));
}

/** Only of the leader: those that stand by keep their queues full and work on none. */
function queueStandsStill(window: string): Promql {
  const by = ['namespace', 'job', 'instance'];
  const queue = { name: CONTROLLER_NAME };
  const waits = combine(sum(by, gauge('workqueue_depth', queue)), '>', number(0));
  const stuck = combine(max(by, gauge('workqueue_longest_running_processor_seconds', queue)), '>', number(300));
  const passes = sum(by, rate('controller_runtime_reconcile_total', { controller: CONTROLLER_NAME }, window));
  const leads = is(max(by, LEADS), 1);
  return combine(combine(or(waits, stuck), 'and', is(passes, 0)), 'and', leads);
}

/** A template that says the meaning of the label `reason`, in the words of core/app/conditions.ts. */
function meanings(type: keyof typeof REASONS): string {
  const all = Object.entries(REASONS[type]).map(([reason, { meaning }]) => [reason, meaning] as const);
  return chosenBy('$labels.reason', all);
}

/** A template that says the label `cause`, in the words of core/status/death-causes.ts. */
function causeWords(): string {
  return chosenBy(
    '$labels.cause',
    DEATH_CAUSES.map((cause) => [cause, CAUSE_WORDS[cause]] as const),
  );
}

/** A template that asks why most requests failed, and says it as the live page does: faults of core/errors.ts, or the application itself. */
function mostlyBecause(window: string): string {
  const failing = Object.entries(FAULTS).filter(([, { status }]) => status >= 500);
  const codes = failing.map(([code]) => code).join('|');
  const faults = (program: ProgramName): string =>
    `sum by (code) (increase(webapp_${program}_faults_total{namespace=%[1]q, webapp=%[2]q, code=~"${codes}"}[${window}])) > 0`;
  const failed = `scalar(sum(increase(webapp_proxy_requests_total{namespace=%[1]q, webapp=%[2]q, class="5xx"}[${window}])))`;
  const question = `topk(1, (${faults('worker')} or ${faults('proxy')}) >= ${failed} / 2)`;
  const most = `printf \`${question}\` $labels.namespace $labels.webapp | query`;
  const words = failing.map(([code, { message }]) => [code, message] as const);
  return `{{ with ${most} }}{{ with . | first | label "code" }}${chosenBy('.', words)}{{ end }}{{ else }}${ANSWERED_SO}{{ end }}`;
}

/** A template. @param value what is compared with the first of each pair; nothing is said when none is equal */
function chosenBy(value: string, pairs: readonly (readonly [is: string, text: string])[]): string {
  const cases = pairs.map(([is, text], i) => `{{ ${i === 0 ? 'if' : 'else if'} eq ${value} "${is}" }}${text}`);
  return `${cases.join('')}{{ end }}`;
}
