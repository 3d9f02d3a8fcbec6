import { expect, test } from 'vitest';
import { ProblemsError } from '../core/errors.ts';
import { AddressError } from '../http/address.ts';
import { describeFailure } from './failure.ts';

const problem = (field: string, mend: string) => ({ field, message: 'is wrong', mend });

test.each([
  [
    new AddressError('ADDRESS_IN_USE', 'Taken.', 'Choose another.'),
    { exitCode: 1, code: 'ADDRESS_IN_USE', mend: 'Choose another.' },
  ],
  [
    new ProblemsError('The command line', [problem('--listen', 'a'), problem('--admin', 'b')]),
    { exitCode: 2, code: 'USAGE', mend: 'a; b' },
  ],
  [new ProblemsError('The command line', [problem('arguments', 'a')]), { exitCode: 2, code: 'USAGE' }],
  [new ProblemsError('proxy.json', [problem('limits.bodyBytes', 'a')]), { exitCode: 2, code: 'CONFIG_INVALID' }],
  [new Error('a bug'), { exitCode: 70, code: 'INTERNAL', reason: expect.stringContaining('a bug') }],
])('%s', (error, failure) => expect(describeFailure(error)).toMatchObject(failure));
