import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FAULTS } from '../core/errors.ts';
import { makeChartValues } from '../operator/install/chart-values.ts';
import { makeAlerts } from './rules/alerts.ts';
import { DEFAULT_OBJECTIVE, DEFAULT_RUNBOOKS, makeSettings } from './rules/settings.ts';
import { RUNBOOKS } from './runbooks.ts';

const FOLDER = fileURLToPath(new URL('../docs/runbooks/', import.meta.url));
const read = (alert: string): string => readFileSync(`${FOLDER}${alert}.md`, 'utf8');
const linksOf = (text: string): string[] => [...text.matchAll(/\]\((\w+)\.md\)/g)].map(([, name = '']) => name);

test('there is a page for each alert, and no other', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(RUNBOOKS.map((alert) => `${alert}.md`).sort());
  for (const { alert, annotations } of makeAlerts(makeSettings()))
    expect(annotations['runbook_url']).toBe(`${DEFAULT_RUNBOOKS}/${alert}.md`);
});

test.each(RUNBOOKS)('%s: what users notice, how to see more, what to do', (alert) => {
  const text = read(alert);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([alert, 'What users notice', 'When it comes', 'See more', 'What to do']);
  expect(text).toMatch(/```\n(webapp|kubectl) /);
  for (const link of linksOf(text)) expect(RUNBOOKS).toContain(link);
});

test('codes of faults are those of core/errors.ts', () => {
  for (const alert of RUNBOOKS)
    for (const [, code = ''] of read(alert).matchAll(/`([A-Z]+_[A-Z_]+)`/g))
      expect(Object.keys(FAULTS)).toContain(code);
});

test('the chart has the same defaults', () => {
  const { objective, runbooks } = makeChartValues().alerts;
  expect([objective, runbooks]).toEqual([DEFAULT_OBJECTIVE, DEFAULT_RUNBOOKS]);
});
