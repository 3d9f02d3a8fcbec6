import { expect, test } from 'vitest';
import { parseWrk } from './wrk.ts';

const OUTPUT = `Running 3s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    10.18ms    2.10ms  40.10ms   90.00%
    Req/Sec     6.30k   312.00     6.80k    80.00%
  Latency Distribution
     50%  950.00us
     75%   10.50ms
     90%   11.90ms
     99%    1.20s
  18848 requests in 3.00s, 3.11MB read
  Socket errors: connect 0, read 3, write 1, timeout 2
  Non-2xx or 3xx responses: 7
Requests/sec:   6278.12
Transfer/sec:      1.04MB
`;

test('every kind of error is counted', () => {
  expect(parseWrk(OUTPUT)).toEqual({ requests: 18848, perSecond: 6278.12, p50Ms: 0.95, p99Ms: 1200, errors: 13 });
});

test('no request at all is an error, not a zero', () => {
  expect(() => parseWrk('unable to connect')).toThrow('wrk made no request');
});
