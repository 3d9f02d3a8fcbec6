// A running `webapp up` under load, a real Prometheus: every expression of dashboards and rules that a laptop can answer has data. Its alerts fire in same-words.test.ts.
import { expect, test } from 'vitest';
import { dashboardQuestions, isOfDiscovery, isOfOperator, recordQuestions, untilAllAnswered } from './shortened.ts';
import { keepAsking, startWatched } from './watched-stack.ts';

const WORKERS = { processes: 2, timeout: '4s' };

test('all that dashboards and recording rules ask has an answer', async () => {
  const { stack, prometheus, spec } = await startWatched({
    workers: WORKERS,
    proxy: { limits: { body: '1Ki' } },
  });
  const { url } = stack;
  keepAsking(
    () => fetch(url),
    () => fetch(`${url}/fail`),
    () => fetch(`${url}/slow?seconds=60`),
    () => fetch(url, { method: 'POST', body: 'x'.repeat(2_000) }),
  );
  const questions = [...dashboardQuestions(), ...recordQuestions()];
  const mine = questions.filter((question) => !isOfOperator(question) && !isOfDiscovery(question));
  expect(mine.length).toBeGreaterThan(80);
  const note = mine.filter(({ title }) => title === 'webapp: Configurations');
  expect(note).toHaveLength(1);
  await untilAllAnswered(
    prometheus,
    mine.filter((question) => !note.includes(question)),
  );
  // A change is drawn for half a minute.
  stack.edit({ ...spec, workers: { ...WORKERS, processes: WORKERS.processes + 1 } });
  await untilAllAnswered(prometheus, note);
  expect(await prometheus.failedRules()).toEqual([]);
});
