// What a dashboard asks of Prometheus, read back from what is shipped: for tests that run all of it.

export interface Asked {
  /** Of the panel or annotation. */
  readonly title: string;
  readonly expr: string;
}

interface Query {
  readonly expr?: string;
}

interface Shipped {
  readonly panels?: readonly { readonly title?: string; readonly targets?: readonly Query[] }[];
  readonly annotations?: { readonly list?: readonly { readonly name: string; readonly expr?: string }[] };
}

/** @param board as its JSON is */
export function expressionsOf(board: Shipped): Asked[] {
  const panels = (board.panels ?? []).flatMap(({ title = '', targets = [] }) =>
    targets.map(({ expr = '' }) => ({ title, expr })),
  );
  const notes = (board.annotations?.list ?? []).map(({ name, expr = '' }) => ({ title: name, expr }));
  return [...panels, ...notes];
}

/** Puts values in the place of Grafana's variables, as Grafana does. @throws Error when one is left */
export function filledIn(expr: string, values: Readonly<Record<string, string>>): string {
  const filled = expr.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nobody says what $${name} is in ${expr}`);
    return value;
  });
  return filled;
}
