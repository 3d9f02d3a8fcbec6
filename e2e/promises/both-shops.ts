// Both shops in one namespace: a fault meets both at once, and the time of it is spent once.
import { SHOPS, type Shop } from './images.ts';
import type { Loaded, Note, Place, Promised, Spec } from './rig.ts';

/** Small enough for all of it to stand on one node of two CPUs. */
const SMALL = { requests: { cpu: '50m', memory: '128Mi' } };

/** @param of what a shop's spec has besides */
export async function openBoth(place: Place, of: (shop: Shop) => Spec = () => ({})): Promise<void> {
  await Promise.all(SHOPS.map((shop) => place.open(shop, { resources: SMALL, ...of(shop) })));
}

/** `kubectl apply` of both with what `openBoth` gives them and `of` over it. Does not wait. */
export async function changeBoth(place: Place, of: (shop: Shop) => Spec): Promise<void> {
  await Promise.all(SHOPS.map((shop) => place.change(shop, { resources: SMALL, ...of(shop) })));
}

type PromiseOfBoth = Omit<Promised, 'app'>;

/** Something is done to each of them. @returns the loads of both, in the order of SHOPS */
export function whileEachIsLoaded(
  place: Place,
  promise: PromiseOfBoth,
  action: (shop: Shop) => Promise<Note>,
): Promise<Loaded[]> {
  return Promise.all(SHOPS.map((shop) => place.loadedWhile({ ...promise, app: shop.name }, () => action(shop))));
}

/** One thing is done that concerns both. @returns the loads of both */
export async function whileBothAreLoaded(
  place: Place,
  promise: PromiseOfBoth,
  action: () => Promise<Note>,
): Promise<Loaded[]> {
  const loads: Loaded[] = [];
  const within = SHOPS.reduce(
    (inner, { name }) =>
      async () => {
        let note: Note;
        const loaded = await place.loadedWhile({ ...promise, app: name }, async () => (note = await inner()));
        loads.push(loaded);
        return note;
      },
    action,
  );
  await within();
  return loads;
}

export const failuresOf = (loads: readonly Loaded[]): Loaded['failures'][] => loads.map(({ failures }) => failures);
export const NONE_FAILED = SHOPS.map(() => ({}));
