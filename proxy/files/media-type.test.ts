import { expect, test } from 'vitest';
import { mediaTypeOf } from './media-type.ts';

test.each([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['json', 'application/json'],
  ['svg', 'image/svg+xml'],
  ['woff2', 'font/woff2'],
  ['', 'application/octet-stream'],
  ['unheard-of', 'application/octet-stream'],
  ['constructor', 'application/octet-stream'],
])('%s is %s', (extension, type) => expect(mediaTypeOf(extension)).toBe(type));
