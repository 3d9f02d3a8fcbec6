import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { OPERATOR_METRICS, PROXY_METRICS, WORKER_METRICS } from '../../core/metrics.ts';
import { makeRecordings } from '../rules/recordings.ts';
import { makeSettings } from '../rules/settings.ts';
import { makeDashboards } from './dashboards.ts';
import { expressionsOf, filledIn } from './expressions.ts';

const SHIPPED = fileURLToPath(new URL('../../manifests/dashboards/', import.meta.url));

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { uid: string } }[];
}

interface Board {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
  readonly annotations: { readonly list?: readonly { readonly name: string; readonly expr: string }[] };
}

const boards = Object.fromEntries(
  Object.keys(makeDashboards()).map((name) => [
    name,
    JSON.parse(readFileSync(`${SHIPPED}${name}.json`, 'utf8')) as Board,
  ]),
);

describe.each(Object.entries(boards))('%s', (_, { panels, templating, annotations }) => {
  const shown = panels.filter(({ type }) => type !== 'row');

  test('each panel says what it shows, and asks the Prometheus that was chosen', () => {
    for (const { title, description, targets = [] } of shown) {
      expect(title).not.toBe('');
      expect([title, description]).toEqual([title, expect.stringMatching(/\S/)]);
      expect([title, targets.length]).not.toEqual([title, 0]);
      for (const { datasource } of targets) expect([title, datasource.uid]).toEqual([title, `\${datasource}`]);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test('panels stand beside and below each other, within the width', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x, y, taken.has(`${x} ${y}`)]).toEqual([title, x, y, false]);
          taken.add(`${x} ${y}`);
        }
    }
  });

  test('what expressions leave open is a variable of the dashboard, or Grafana’s', () => {
    const names = templating.list.map(({ name }) => name);
    const values = Object.fromEntries([...names, '__rate_interval'].map((name) => [name, 'x']));
    const all = [
      ...expressionsOf({ panels, annotations }).map(({ expr }) => expr),
      ...templating.list.map(({ query }) => query),
    ];
    for (const expr of all) expect(() => filledIn(expr, values)).not.toThrow();
    expect(names[0]).toBe('datasource');
  });
});

test('links lead to dashboards that are there', () => {
  const uids = Object.values(boards).map(({ uid }) => uid);
  const links = [...JSON.stringify(boards).matchAll(/\/d\/([\w-]+)\?/g)].map(([, uid]) => uid);
  expect(links.length).toBeGreaterThan(0);
  for (const uid of links) expect(uids).toContain(uid);
});

test('the WebApp dashboard draws rollouts', () => {
  expect(boards['webapp']?.annotations.list?.map(({ name }) => name)).toEqual(['Rollouts', 'Configurations']);
});

/** Why a metric is on no dashboard and in no rule. */
const UNSEEN: Readonly<Record<string, string>> = {
  webapp_proxy_connections_accepted_total: 'open ones are drawn',
  webapp_worker_connections_accepted_total: 'open ones are drawn',
  webapp_proxy_spans_total: 'no user is harmed when spans are dropped (docs/tracing.md)',
  webapp_worker_spans_total: 'no user is harmed when spans are dropped (docs/tracing.md)',
  webapp_worker_requests_total: 'the proxy counts what users see',
  webapp_worker_received_bytes_total: 'the proxy counts what users send',
  webapp_worker_sent_bytes_total: 'the proxy counts what users get',
};

test('every metric of ours is on a dashboard or in a rule, save those that have a reason', () => {
  const all = [
    ...Object.values(boards).flatMap((board) => expressionsOf(board).map(({ expr }) => expr)),
    ...makeRecordings(makeSettings()).map(({ expr }) => expr),
    readFileSync(`${SHIPPED}../prometheus-rules.yaml`, 'utf8'),
  ].join('\n');
  const names = Object.keys({ ...PROXY_METRICS, ...WORKER_METRICS, ...OPERATOR_METRICS });
  const unseen = names.filter((name) => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(all));
  expect(unseen.sort()).toEqual(Object.keys(UNSEEN).sort());
});
