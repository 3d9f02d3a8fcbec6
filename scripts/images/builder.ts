// The programs that build images: docker, podman, buildah. All read the same Dockerfiles; here is what each calls things.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImageRecipe } from './images.ts';
import { commandExists, type RunOptions, run } from './run.ts';

export type BuilderName = 'docker' | 'podman' | 'buildah';

export interface BuildOrder {
  /** For the ARGs of the Dockerfile. */
  readonly args: Readonly<Record<string, string>>;
  /** Seconds since 1970 for all that the image says about times, so that the same sources make the same image; undefined: now. */
  readonly created?: number | undefined;
  /** As `--volume` has them: there while the steps run. */
  readonly volumes: readonly string[];
}

export interface Builder {
  readonly name: BuilderName;
  has(image: string): Promise<boolean>;
  pull(image: string): Promise<void>;
  /** @param archive of the `docker save` format. @param image one of those in it */
  load(archive: string, image: string): Promise<void>;
  build(recipe: ImageRecipe, order: BuildOrder): Promise<void>;
  tag(image: string, other: string): Promise<void>;
  /** @param image with its registry in its name */
  push(image: string): Promise<void>;
  /** The images as an OCI layout, each with its name as `org.opencontainers.image.ref.name`; docker writes its own. @param folder empty */
  layOut(recipes: readonly ImageRecipe[], folder: string): Promise<void>;
  /** Forgets what no name leads to. For a store of one's own only, while nobody builds in it. */
  prune(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const DOCKER_ANSWERS_MS = 5000;
const PROGRAMS = ['docker', 'podman', 'buildah'] as const;

/** @returns the first that can build here; a docker without its daemon cannot */
export function findBuilder(): BuilderName | undefined {
  return PROGRAMS.find((name) => commandExists(name) && (name !== 'docker' || dockerAnswers()));
}

function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: 'ignore',
      timeout: DOCKER_ANSWERS_MS,
    });
    return true;
  } catch {
    return false;
  }
}

/** @param store folder for podman's and buildah's images, instead of the user's own */
export function makeBuilder(
  name: BuilderName,
  options: { readonly store?: string; readonly isLoud?: boolean } = {},
): Builder {
  return name === 'docker' ? new Docker(options) : new Buildah(name, options);
}

class Docker implements Builder {
  readonly name = 'docker';
  readonly #run: RunOptions;

  constructor(run: RunOptions) {
    this.#run = { ...run, cwd: root };
  }

  has(image: string): Promise<boolean> {
    return succeeds(this.#docker('image', 'inspect', '--format', '.', image));
  }

  async pull(image: string): Promise<void> {
    await this.#docker('pull', '--quiet', image);
  }

  async load(archive: string): Promise<void> {
    await this.#docker('load', '--input', archive);
  }

  /** Volumes are not to be had; BuildKit takes SOURCE_DATE_EPOCH as an argument, and proxies from the daemon. */
  async build(recipe: ImageRecipe, { args, created }: BuildOrder): Promise<void> {
    const epoch = created === undefined ? {} : { SOURCE_DATE_EPOCH: String(created) };
    await this.#docker('build', ...describe(recipe, { ...args, ...epoch }));
  }

  async tag(image: string, other: string): Promise<void> {
    await this.#docker('tag', image, other);
  }

  async push(image: string): Promise<void> {
    await this.#docker('push', image);
  }

  async layOut(recipes: readonly ImageRecipe[], folder: string): Promise<void> {
    const archive = `${folder}.tar`;
    await this.#docker('save', '--output', archive, ...recipes.map(({ name }) => name));
    await run('tar', ['-C', folder, '-xf', archive]);
    rmSync(archive);
  }

  /** Left to the person: docker's own builds leave nothing without a name but what speeds up the next. */
  prune(): Promise<void> {
    return Promise.resolve();
  }

  #docker(...args: string[]): Promise<string> {
    return run('docker', args, this.#run);
  }
}

/** podman builds by buildah, with the same flags. */
class Buildah implements Builder {
  readonly name: BuilderName;
  readonly #store: readonly string[];
  readonly #run: RunOptions;

  constructor(name: BuilderName, { store, isLoud }: { readonly store?: string; readonly isLoud?: boolean }) {
    this.name = name;
    this.#store = store === undefined ? [] : ['--root', join(store, 'images'), '--runroot', join(store, 'run')];
    this.#run = { cwd: root, isLoud: isLoud ?? false, env: { BUILDAH_ISOLATION: 'chroot' } };
    if (store !== undefined) mkdirSync(store, { recursive: true });
  }

  has(image: string): Promise<boolean> {
    return succeeds(this.#buildah('inspect', '--type', 'image', '--format', '.', image));
  }

  async pull(image: string): Promise<void> {
    await this.#buildah('pull', '--quiet', image);
  }

  async load(archive: string, image: string): Promise<void> {
    await this.#buildah('pull', '--quiet', `docker-archive:${archive}:${image}`);
  }

  /** What is built on is here already: a registry is not asked whether it has something newer. */
  async build(recipe: ImageRecipe, { args, created, volumes }: BuildOrder): Promise<void> {
    const flags = [
      ...['--layers', '--format', 'oci', '--isolation', 'chroot', '--identity-label=false'],
      this.name === 'podman' ? '--pull=never' : '--pull-never',
      ...(created === undefined ? [] : ['--timestamp', String(created)]),
      ...volumes.flatMap((volume) => ['--volume', volume]),
    ];
    await this.#buildah('build', ...flags, ...describe(recipe, args));
  }

  async tag(image: string, other: string): Promise<void> {
    await this.#buildah('tag', image, other);
  }

  async push(image: string): Promise<void> {
    await this.#buildah('push', '--quiet', image, `docker://${image}`);
  }

  /**
   * To an OCI layout layers are compressed, each time anew, and no flag holds that back; save those that lie there uncompressed already. So the
   * large ones, of images that build on none of ours, are brought there first, by way of a format that leaves them as they are.
   */
  async layOut(recipes: readonly ImageRecipe[], folder: string): Promise<void> {
    for (const { from, name } of recipes) if (from === undefined) await this.#bringLayers(name, folder);
    for (const { name } of recipes)
      await this.#buildah('push', '--quiet', '--format', 'oci', name, `oci:${folder}:${name}`);
  }

  async #bringLayers(image: string, folder: string): Promise<void> {
    const blobs = join(folder, 'blobs/sha256');
    const beside = join(folder, 'layers');
    mkdirSync(blobs, { recursive: true });
    // podman leaves layers as they are unless it is told otherwise.
    const asTheyAre = this.name === 'buildah' ? ['--disable-compression'] : [];
    await this.#buildah('push', '--quiet', ...asTheyAre, image, `dir:${beside}`);
    for (const name of readdirSync(beside).filter((entry) => /^[0-9a-f]{64}$/.test(entry)))
      renameSync(join(beside, name), join(blobs, name));
    rmSync(beside, { recursive: true });
  }

  /** Steps that an interrupted build was in hold their image. */
  async prune(): Promise<void> {
    if (this.name === 'podman') await this.#buildah('image', 'prune', '--force', '--external');
    else {
      await this.#buildah('rm', '--all');
      await this.#buildah('rmi', '--prune');
    }
  }

  #buildah(...args: string[]): Promise<string> {
    return run(this.name, [...this.#store, ...args], this.#run);
  }
}

/** What all three take alike. */
function describe(
  { aliases = [], buildArgs, context, dockerfile, name, target }: ImageRecipe,
  args: BuildOrder['args'],
): string[] {
  return [
    ...['--file', inRepository(dockerfile)],
    ...(target === undefined ? [] : ['--target', target]),
    ...[name, ...aliases].flatMap((tag) => ['--tag', tag]),
    ...Object.entries({ ...args, ...buildArgs }).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    inRepository(context),
  ];
}

function inRepository(path: string): string {
  return isAbsolute(path) ? path : join(root, path);
}

function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}
