import { expect, test } from 'vitest';
import {
  aggregate,
  combine,
  gauge,
  increase,
  type MetricName,
  number,
  or,
  quantile,
  rate,
  rateOf,
  sum,
} from './promql.ts';

test.each([
  [gauge('webapp_proxy_endpoints'), 'webapp_proxy_endpoints'],
  [gauge('webapp_worker_slots', { state: 'busy', pod: { not: 'a' } }), 'webapp_worker_slots{state="busy", pod!="a"}'],
  [
    rate('webapp_proxy_faults_total', { code: ['A.B', 'C'], namespace: { variable: 'namespace' } }, '5m'),
    'rate(webapp_proxy_faults_total{code=~"A\\\\.B|C", namespace=~"$namespace"}[5m])',
  ],
  [
    quantile(0.5, sum(['le'], rateOf('bucket', 'webapp_proxy_request_seconds', {}, '1m'))),
    'histogram_quantile(0.5, sum by (le) (rate(webapp_proxy_request_seconds_bucket[1m])))',
  ],
  [
    combine(combine(number(1), '-', number(2)), '*', number(3)),
    '(1 - 2) * 3', // and not 1 - 2 * 3
  ],
  [combine(number(3), '-', combine(number(2), '-', number(1)), ['a']), '3 - on (a) (2 - 1)'],
  [or(number(1), combine(number(2), '>', number(3)), number(4)), '1 or (2 > 3) or 4'],
  [combine(or(number(1), number(2)), 'and', number(3)), '(1 or 2) and 3'],
  [or(combine(number(1), '==', or(number(2), number(3))), number(4)), '(1 == (2 or 3)) or 4'],
  [aggregate('max', [], number(1)), 'max (1)'],
])('%#: $text', ({ text }, wanted) => expect(text).toBe(wanted));

test.each<[string, () => unknown]>([
  ['is in no table', () => gauge('webapp_proxy_request' as MetricName)],
  ['has no label state', () => gauge('webapp_proxy_connections', { state: 'open' })],
  ['has no label webapp', () => gauge('workqueue_depth', { webapp: 'shop' })],
  ['is a gauge, and used as a counter', () => rate('webapp_proxy_connections', {}, '5m')],
  ['is a histogram, and used as a counter', () => increase('webapp_proxy_request_seconds', {}, '5m')],
  ['is a counter, and used as a gauge', () => gauge('webapp_proxy_requests_total')],
  ['is a counter, and used as a histogram', () => rateOf('sum', 'webapp_proxy_requests_total', {}, '5m')],
])('no expression is made of a metric that %s', (message, make) => expect(make).toThrow(message));
