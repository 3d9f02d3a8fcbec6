import { expect, test } from 'vitest';
import { isHere, isOwnHost } from './own-host.ts';

test.each([
  ['127.0.0.1:9100', true],
  ['localhost', true],
  ['LOCALHOST:80', true],
  ['shop.localhost:80', true],
  ['[::1]:9100', true],
  ['10.1.2.3:9100', true],
  ['operator.web.svc:9100', true],
  ['my-laptop:9100', true],
  ['evil.example:9100', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['evil.svc.example', false],
  ['evil-my-laptop', false],
  ['localhost:9100:1', false],
  ['user@localhost', false],
  ['', false],
  [undefined, false],
])('%s: %s', (host, own) => {
  expect(isOwnHost(host, ['.svc', 'My-Laptop'])).toBe(own);
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  [undefined, false],
])('%s is here: %s', (peer, here) => {
  expect(isHere(peer)).toBe(here);
});
