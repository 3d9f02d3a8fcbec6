/**
 * Pure: the variables of a `.env` or `.flaskenv` file, as python-dotenv reads the plain ones: `export`, quotes and comments;
 * no expansion.
 */
export function variablesOf(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#\n]*?))\s*(?:#.*)?$/.exec(
      line.trimEnd(),
    );
    if (match?.[1]) variables[match[1]] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return variables;
}
