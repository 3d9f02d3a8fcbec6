// Rules as they are shipped, with windows and waits that tests can wait for: two thousand times shorter, ten seconds at least, since Prometheus scrapes every second here.
import { formatDuration, parseDuration } from '../../core/quantity.ts';
import { makeDashboards } from '../../monitoring/dashboards/dashboards.ts';
import { expressionsOf, filledIn } from '../../monitoring/dashboards/expressions.ts';
import { makeRuleGroups } from '../../monitoring/rules/files.ts';
import type { RuleGroup } from '../../monitoring/rules/rule.ts';
import { makeSettings } from '../../monitoring/rules/settings.ts';
import type { FiringAlert, Prometheus } from './prometheus.ts';

const FACTOR = 2_000;
const LEAST_MS = 10_000;

export function shortenedRules(): RuleGroup[] {
  const time = (nominal: string): string => {
    const ms = parseDuration(nominal);
    return formatDuration(ms === 0 ? 0 : Math.max(LEAST_MS, Math.round(ms / FACTOR / 1_000) * 1_000));
  };
  return makeRuleGroups({ ...makeSettings(), time });
}

export interface Question {
  /** Dashboard and panel, or record. */
  readonly title: string;
  readonly expr: string;
}

/** Every expression of every dashboard, as Grafana would ask it with everything chosen. */
export function dashboardQuestions(): Question[] {
  const chosen = { namespace: '.*', webapp: '.*', __rate_interval: '15s' };
  return Object.entries(makeDashboards()).flatMap(([name, board]) => {
    const shipped = JSON.parse(JSON.stringify(board)) as Parameters<typeof expressionsOf>[0];
    return expressionsOf(shipped).map(({ title, expr }) => ({
      title: `${name}: ${title}`,
      expr: filledIn(expr, chosen),
    }));
  });
}

export function recordQuestions(): Question[] {
  return shortenedRules().flatMap(({ rules }) =>
    rules.flatMap((rule) => ('record' in rule ? [{ title: rule.record, expr: rule.record }] : [])),
  );
}

/** Answered by the operator alone. */
export function isOfOperator({ expr }: Question): boolean {
  return /webapp_operator_|leader_election_|controller_runtime_|workqueue_/.test(expr);
}

/** Answered where proxies find their workers by EndpointSlices. */
export function isOfDiscovery({ expr }: Question): boolean {
  return expr.includes('webapp_proxy_discovery_in_step');
}

const PATIENCE_MS = 180_000;

/** Asks again until each has had an answer. @throws Error that names those that had none */
export async function untilAllAnswered(prometheus: Prometheus, questions: readonly Question[]): Promise<void> {
  const open = new Map(questions.map((question) => [`${question.title}: ${question.expr}`, question]));
  await poll(
    async () => {
      for (const [key, { expr }] of open) if ((await prometheus.query(expr)).length > 0) open.delete(key);
      return open.size === 0;
    },
    () => `no data for\n${[...open.keys()].join('\n')}`,
  );
}

/** @returns the alert of that name with at least these labels, once it fires and its description has these words */
export async function untilFires(
  prometheus: Prometheus,
  alertname: string,
  labels: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Promise<FiringAlert> {
  let found: FiringAlert | undefined;
  let firing: FiringAlert[] = [];
  const wanted = Object.entries({ alertname, ...labels });
  await poll(
    async () => {
      firing = await prometheus.firing();
      found = firing.find(
        (alert) =>
          wanted.every(([label, value]) => alert.labels[label] === value) &&
          words.every((one) => alert.annotations['description']?.includes(one)),
      );
      return found !== undefined;
    },
    () =>
      `${JSON.stringify([wanted, words])} does not fire, but ${JSON.stringify(
        firing.map(({ labels: { alertname: name, ...others }, annotations }) => [
          name,
          others,
          annotations['description'],
        ]),
        null,
        1,
      )}`,
  );
  return found as FiringAlert;
}

async function poll(look: () => Promise<boolean>, tell: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(tell());
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
