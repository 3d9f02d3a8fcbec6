// Later versions of the example shops, made from the first by a line or two: what a person would roll out next.
import { EXAMPLES, type ImageRecipe } from '../../scripts/images/images.ts';

export type ShopName = 'flask-shop' | 'express-shop';

export interface Shop {
  readonly name: ShopName;
  /** spec.app */
  readonly app: string;
  /** spec.proxy.static[0].from */
  readonly staticFolder: string;
  /** Sells a teapot; its stylesheet is /static/shop.css. */
  readonly first: string;
  /** Sells a samovar too; its stylesheet is /static/shop.2.css, and there is no other. */
  readonly second: string;
  /** Ends as it is loaded, with LAST_WORDS. */
  readonly crashing: string;
  /** Command that runs this code: a statement that is one in Python and in JavaScript. */
  readonly script: (code: { readonly python: string; readonly node: string }) => string[];
}

export const LAST_WORDS = 'the shop has burnt down';
/** What both versions sell, and what only the second sells. */
export const GOODS = { always: 'Teapot', second: 'Samovar' } as const;

export const SHOPS: readonly Shop[] = [
  {
    name: 'flask-shop',
    app: 'shop:app',
    staticFolder: 'static',
    first: EXAMPLES.flaskShop.name,
    second: 'flask-shop:2.0.0',
    crashing: 'flask-shop:2.0.1-crashing',
    script: ({ python }) => ['python3', '-c', python],
  },
  {
    name: 'express-shop',
    app: 'server.js',
    staticFolder: 'public',
    first: EXAMPLES.expressShop.name,
    second: 'express-shop:2.0.0',
    crashing: 'express-shop:2.0.1-crashing',
    script: ({ node }) => ['node', '-e', node],
  },
];

export const VARIANTS: readonly ImageRecipe[] = SHOPS.flatMap((shop) => [
  variant(shop, shop.second, 'second'),
  variant(shop, shop.crashing, 'crashing'),
]);

function variant(shop: Shop, name: string, target: 'second' | 'crashing'): ImageRecipe {
  return {
    name,
    dockerfile: `e2e/promises/images/${shop.name}.Dockerfile`,
    context: 'e2e/promises/images',
    target,
    from: [shop.first],
  };
}
