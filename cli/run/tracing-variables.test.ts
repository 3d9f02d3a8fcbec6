import { describe, expect, test } from 'vitest';
import { Failure } from '../failure.ts';
import { tracingFromVariables } from './tracing-variables.ts';

const AT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

describe('a collector is taken from the environment', () => {
  test.each([
    ['its address, and all traces', AT, { endpoint: 'http://localhost:4318', sampling: 1 }],
    ['a share', { ...AT, OTEL_TRACES_SAMPLER_ARG: '0.25' }, { endpoint: 'http://localhost:4318', sampling: 0.25 }],
    ['none of them', { ...AT, OTEL_TRACES_SAMPLER_ARG: '0' }, { endpoint: 'http://localhost:4318', sampling: 0 }],
    [
      'an empty share is none',
      { ...AT, OTEL_TRACES_SAMPLER_ARG: '' },
      { endpoint: 'http://localhost:4318', sampling: 1 },
    ],
    ['an empty address is none', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    ['nothing is said', {}, undefined],
    ['a share alone', { OTEL_TRACES_SAMPLER_ARG: 'none of our affair' }, undefined],
  ])('%s', (_, variables, wanted) => {
    expect(tracingFromVariables(variables)).toEqual(wanted);
  });
});

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', 'http://collector.monitoring:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:secret@localhost:4318', 'without user, password and query'],
  ['OTEL_TRACES_SAMPLER_ARG', 'often', 'a share from 0 to 1'],
  ['OTEL_TRACES_SAMPLER_ARG', '10', 'a share from 0 to 1'],
  ['OTEL_TRACES_SAMPLER_ARG', '\u001b[2J', 'a share from 0 to 1'],
])('%s=%j: variable, value and mend are named', (variable, value, mend) => {
  const failure = failureOf(() => tracingFromVariables({ ...AT, [variable]: value }));
  expect(failure.code).toBe('USAGE');
  expect(failure.message).toBe(`the environment variable ${variable} cannot be used: ${JSON.stringify(value)}`);
  expect(failure.mend).toContain(mend);
  expect(failure.mend).toMatch(/, unset it, or say tracing in the manifest$/);
});

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}
