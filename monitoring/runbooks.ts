// The generated parts of docs/runbooks/: when an alert comes, and what its causes mean, from the tables that decide it. The rest of a page is written by people.
import { REASONS } from '../core/app/conditions.ts';
import { ALERTS, type AlertName, makeAlerts } from './rules/alerts.ts';
import { makeSettings } from './rules/settings.ts';

export const RUNBOOKS = Object.keys(ALERTS) as readonly AlertName[];

/** Whose reasons a page explains. */
const EXPLAINED: Partial<Record<AlertName, keyof typeof REASONS>> = {
  WebAppNoReadyProcess: 'Ready',
  WebAppRolloutStuck: 'Progressing',
  WebAppConfigNotApplied: 'ConfigApplied',
};

/** @returns name of the part → its text */
export function makeRunbookParts(alert: AlertName): Record<string, () => string> {
  const type = EXPLAINED[alert];
  return { alert: () => whenItComes(alert), ...(type && { reasons: () => reasons(type) }) };
}

function whenItComes(name: AlertName): string {
  const rules = makeAlerts(makeSettings()).filter(({ alert }) => alert === name);
  return rules
    .map(({ expr, for: hold, labels: { severity, ...labels } }) => {
      const marks = Object.entries(labels).map(([label, value]) => `\`${label}="${value}"\``);
      const held = hold === '0s' ? 'at once' : `after ${hold}`;
      return `${[`**${severity}**`, ...marks].join(', ')}, ${held}:\n\n\`\`\`promql\n${expr}\n\`\`\``;
    })
    .join('\n\n');
}

function reasons(type: keyof typeof REASONS): string {
  const rows = Object.entries(REASONS[type]).map(([reason, { meaning }]) => `| \`${reason}\` | ${meaning} |`);
  return [`| reason of \`${type}\` | meaning |`, '|---|---|', ...rows].join('\n');
}
