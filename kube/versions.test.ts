import { expect, test } from 'vitest';
import { isLater } from './versions.ts';

test.each<[string, string, boolean]>([
  ['10', '9', true],
  ['9', '10', false],
  ['10', '10', false],
  ['123456789012345678901235', '123456789012345678901234', true],
  ['5', '', true],
  ['', '5', true],
  ['abc', 'abd', true],
  ['abc', 'abc', false],
])('%s is later than %s: %s', (version, than, wanted) => expect(isLater(version, than)).toBe(wanted));
