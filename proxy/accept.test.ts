import { expect, test } from 'vitest';
import { preferredForm } from './accept.ts';

const FORMS = ['text/html', 'application/json', 'text/plain'] as const;

test.each([
  [undefined, 'text/plain'],
  ['', 'text/plain'],
  ['*/*', 'text/plain'],
  ['text/*', 'text/plain'],
  ['image/png', 'text/plain'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'text/html'],
  ['Text/HTML; q=0.1', 'text/html'],
  ['application/json, text/plain, */*', 'application/json'],
  ['application/json;q=0.5, text/plain;q=0.8', 'text/plain'],
  ['text/html;q=0, application/json;q=0.1', 'application/json'],
  ['text/html;q=0', 'text/plain'],
  ['text/html;q=2', 'text/plain'],
  [',,;;q=;', 'text/plain'],
  [`text/html${' '.repeat(2000)}`, 'text/plain'],
])('Accept %j: %s', (accept, form) => {
  expect(preferredForm(accept, FORMS, 'text/plain')).toBe(form);
});
