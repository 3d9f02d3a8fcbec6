// The generated parts of docs/guide-operator.md.
import { USAGE } from '../flags.ts';
import { type Effect, fieldEffects } from './field-effects.ts';
import { fillParts, markdownTable } from './generated-parts.ts';
import { makeLeaseRules, makeWorkRules, type Rule } from './rbac.ts';
import { sayingOf } from './yaml.ts';

const WHAT_HAPPENS: Readonly<Record<Effect, string>> = {
  both: 'worker and proxy pods are replaced, none missing meanwhile',
  'worker pods': 'worker pods are replaced, none missing meanwhile',
  'proxy pods': 'proxy pods are replaced, none missing meanwhile',
  migration: 'the migrate Job runs; no pod is replaced',
  'in place': 'changed in place: no pod is replaced',
  objects: 'Services, Deployments and other objects around the pods: no pod is replaced',
  nothing: 'read by the operator when the time comes',
};

/** @param text the guide. @returns it with its generated parts made anew. @throws Error naming a part that nobody makes, or that is missing */
export function fillGuide(text: string): string {
  return fillParts('the guide', text, { rights: rightsTable, flags: flagsBlock, fields: fieldsTable });
}

function flagsBlock(): string {
  return `\`\`\`\n${USAGE.trimEnd()}\n\`\`\``;
}

function fieldsTable(): string {
  const rows = Object.entries(fieldEffects()).map(([effect, fields]) => [
    fields.map((field) => `\`${field}\``).join(', '),
    WHAT_HAPPENS[effect as Effect],
  ]);
  return markdownTable(['fields of `spec`', 'a change'], rows);
}

function rightsTable(): string {
  const where = (rules: readonly Rule[], place: string) =>
    rules.map((rule) => [
      rule.apiGroups.map((group) => group || 'core').join(', '),
      rule.resources.join(', ') + (rule.resourceNames ? ` (${rule.resourceNames.join(', ')})` : ''),
      rule.verbs.join(', '),
      sayingOf(rule) ?? place,
    ]);
  const rows = [
    ...where(makeWorkRules(), ''),
    ...where(makeLeaseRules(), 'In its own namespace, for leader election.'),
  ];
  return markdownTable(['API group', 'resources', 'verbs', ''], rows);
}
