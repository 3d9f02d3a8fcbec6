// Which images there are and how they are called. Builds nothing.
import manifest from '../../package.json' with { type: 'json' };

export interface ImageRecipe {
  /** `name:tag`, without a registry. */
  readonly name: string;
  /** Path from the repository's root. */
  readonly dockerfile: string;
  /** Folder given to the builder, from the repository's root. */
  readonly context: string;
  /** `--target` of a Dockerfile with several. */
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Names of images that it builds FROM: built before. */
  readonly from?: readonly string[];
  /** Further tags of the same image. */
  readonly aliases?: readonly string[];
}

const { version } = manifest;

/** Common to the first three: built before them, so that builders keep its steps when they forget what has no name. No image of anybody's. */
export const BUILD_STAGE: ImageRecipe = {
  name: 'webapp-build-stage:latest',
  dockerfile: 'worker/Dockerfile',
  context: '.',
  target: 'build',
};

/** The images of this repository. A person's application builds on one of the two workers. */
export const IMAGES = {
  operator: { name: `webapp-operator:${version}`, dockerfile: 'operator/Dockerfile', context: '.' },
  proxy: { name: `webapp-proxy:${version}`, dockerfile: 'proxy/Dockerfile', context: '.' },
  workerNode: {
    name: `webapp-worker:${version}-node`,
    dockerfile: 'worker/Dockerfile',
    context: '.',
    target: 'node',
    aliases: ['webapp-worker:node'],
  },
  workerPython: {
    name: `webapp-worker:${version}-python`,
    dockerfile: 'worker/Dockerfile',
    context: '.',
    target: 'python',
    aliases: ['webapp-worker:python'],
  },
} as const satisfies Record<string, ImageRecipe>;

/** The example applications, built as a person would. */
export const EXAMPLES = {
  flaskShop: {
    name: 'flask-shop:1.0.0',
    dockerfile: 'examples/flask-shop/Dockerfile',
    context: 'examples/flask-shop',
    from: ['webapp-worker:python'],
  },
  expressShop: {
    name: 'express-shop:1.0.0',
    dockerfile: 'examples/express-shop/Dockerfile',
    context: 'examples/express-shop',
    from: ['webapp-worker:node'],
  },
} as const satisfies Record<string, ImageRecipe>;
