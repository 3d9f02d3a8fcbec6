import { expect, test } from 'vitest';
import type { Exchange, Handler } from '../http/exchange.ts';
import { type Links, makePipeline, ORDER } from './pipeline.ts';

test('a request passes account, request id, tracing, static files and maintenance, in this order, then it is forwarded', () => {
  const passed: string[] = [];
  const link = (name: string) => (next: Handler) => (exchange: Exchange) => {
    passed.push(name);
    next(exchange);
  };
  const links: Links = {
    account: link('account'),
    requestId: link('requestId'),
    tracing: link('tracing'),
    staticFiles: link('staticFiles'),
    maintenance: link('maintenance'),
  };
  const handle = makePipeline(links, () => passed.push('forward'));
  handle({} as Exchange);
  expect(passed).toEqual(['account', 'requestId', 'tracing', 'staticFiles', 'maintenance', 'forward']);
});

test('every link has its place, once', () => {
  const links: Record<keyof Links, true> = {
    account: true,
    requestId: true,
    tracing: true,
    staticFiles: true,
    maintenance: true,
  };
  expect([...ORDER].toSorted()).toEqual(Object.keys(links).toSorted());
});
