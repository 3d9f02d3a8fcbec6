import { expect, test } from 'vitest';
import type { Exchange, Handler } from '../http/exchange.ts';
import { type Links, makePipeline, ORDER } from './pipeline.ts';

test('a request passes account, request id and static files, in this order, then it is forwarded', () => {
  const passed: string[] = [];
  const link = (name: string) => (next: Handler) => (exchange: Exchange) => {
    passed.push(name);
    next(exchange);
  };
  const links: Links = { account: link('account'), requestId: link('requestId'), staticFiles: link('staticFiles') };
  const handle = makePipeline(links, () => passed.push('forward'));
  handle({} as Exchange);
  expect(passed).toEqual(['account', 'requestId', 'staticFiles', 'forward']);
});

test('every link has its place, once', () => {
  const links: Record<keyof Links, true> = { account: true, requestId: true, staticFiles: true };
  expect([...ORDER].toSorted()).toEqual(Object.keys(links).toSorted());
});
