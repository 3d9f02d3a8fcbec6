// The generated parts of docs/runbooks/: when an alert comes, and what its causes mean, from the tables that decide it. The rest of a page is written by people.
import { REASONS } from '../core/app/conditions.ts';
import { CAUSE_WORDS, DEATH_MENDS } from '../core/status/death-causes.ts';
import { DEATH_CAUSES } from '../core/status/worker.ts';
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
  return {
    alert: () => whenItComes(alert),
    ...(type && { reasons: () => reasons(type) }),
    ...(alert === 'WebAppCrashLoop' && { causes }),
  };
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

function causes(): string {
  const rows = DEATH_CAUSES.map((cause) => {
    const { field, mend } = DEATH_MENDS[cause];
    return `| \`${cause}\` | ${CAUSE_WORDS[cause]} | \`${field}\` | ${mend} |`;
  });
  const containers = `| \`Crashing\` | ${REASONS.Degraded.Crashing.meaning} | | see \`problems\` in \`kubectl describe webapp NAME -n NAMESPACE\` |`;
  return ['| cause | the process … | field | what to do |', '|---|---|---|---|', ...rows, containers].join('\n');
}
