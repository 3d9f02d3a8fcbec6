// The generated parts of a page that people write: what stands between `<!-- generated: NAME -->` and `<!-- /generated -->`.

/**
 * @param page what it is called in errors
 * @param parts name → text of the part
 * @returns `text` with its generated parts made anew
 * @throws Error naming a part that nobody makes, or that is missing
 */
export function fillParts(page: string, text: string, parts: Readonly<Record<string, () => string>>): string {
  const found = new Set<string>();
  const filled = text.replace(
    /(<!-- generated: (\w+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_, begin: string, name: string, end: string) => {
      const make = parts[name];
      if (!make) throw new Error(`${page} has a part ${name}, which nobody makes`);
      found.add(name);
      return `${begin}${make()}\n${end}`;
    },
  );
  const missing = Object.keys(parts).filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`${page} lacks its part ${missing.join(', ')}`);
  return filled;
}

/** @returns a table in Markdown */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
