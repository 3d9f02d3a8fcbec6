// Which group, and which endpoint in it, a request goes to. Pure: randomness comes in.

/** A number in [0, 1). */
export type Random = () => number;

interface Weighted {
  readonly weight: number;
}

interface Loaded {
  /** Requests sent and not answered. */
  readonly outstanding: number;
}

/** @returns one of `groups` with a chance as its weight; undefined when there is none or all weigh 0 */
export function pickWeighted<T extends Weighted>(groups: readonly T[], random: Random): T | undefined {
  if (groups.length <= 1) return groups[0]?.weight ? groups[0] : undefined;
  let total = 0;
  for (const group of groups) total += group.weight;
  let point = random() * total;
  for (const group of groups) {
    point -= group.weight;
    if (point < 0) return group;
  }
  return undefined;
}

/**
 * The power of two choices: of two different endpoints drawn at random the less loaded one. Nearly as even as looking at all
 * of them, without sending every proxy's next request to the same one (Mitzenmacher 2001).
 */
export function pickLessLoaded<T extends Loaded>(endpoints: readonly T[], random: Random): T | undefined {
  const count = endpoints.length;
  if (count <= 1) return endpoints[0];
  const first = Math.floor(random() * count);
  const step = 1 + Math.floor(random() * (count - 1));
  const one = endpoints[first];
  const other = endpoints[(first + step) % count];
  if (one === undefined || other === undefined) return one;
  return other.outstanding < one.outstanding ? other : one;
}
