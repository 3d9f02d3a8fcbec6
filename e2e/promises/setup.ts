// Before the promises: one real cluster for the whole run, with the images in its nodes; after them, its end. With PROMISES_CLUSTER
// set to the file that `npm run cluster up` names, that cluster is used, and left as it is.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { buildBundle, whyNoImages } from '../../scripts/images/build-images.ts';
import { EXAMPLES, IMAGES } from '../../scripts/images/images.ts';
import { chooseProvider, openRealCluster } from '../cluster/providers.ts';
import type { ClusterState, RealCluster } from '../cluster/real-cluster.ts';
import { writeReport } from '../report/report.ts';
import { readRows } from '../report/rows.ts';
import { unkeptOf } from '../report/unkept.ts';
import { VARIANTS } from './images.ts';
import { PREVIOUS } from './previous.ts';
import { ROWS_FILE } from './rows-file.ts';
import { takeTurn } from './turn.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster that promises are held on, or why there is none. */
    promises: { readonly state: ClusterState } | { readonly missing: string };
  }
}

const NODES = 2;
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const provider = chooseProvider();
  const missing = provider.whyNot() ?? whyNoImages();
  if (missing !== undefined) {
    project.provide('promises', { missing });
    return undefined;
  }
  const giveBack = await takeTurn();
  const began = new Date();
  const { archive } = await buildBundle([
    ...Object.values(IMAGES),
    ...Object.values(EXAMPLES),
    ...VARIANTS,
    ...PREVIOUS,
  ]);
  const running = runningState();
  const state = running ?? (await provider.start({ nodes: NODES }));
  const cluster = await openRealCluster(state);
  try {
    await loadOnce(cluster, state, archive);
  } catch (error) {
    if (running === undefined) await cluster.close();
    throw error;
  }
  project.provide('promises', { state });
  return async () => {
    if (running === undefined && (await isWholeRun(project))) await report(project, cluster, state, began);
    if (running === undefined) await cluster.close();
    giveBack();
  };
}

/** Part of a table would stand where the whole one was. */
async function isWholeRun(project: TestProject): Promise<boolean> {
  const { testFiles } = await project.globTestFiles();
  return project.vitest.state.getTestModules().length >= testFiles.length;
}

async function report(
  project: TestProject,
  cluster: RealCluster,
  { folder, provider }: ClusterState,
  began: Date,
): Promise<void> {
  const rows = readRows(join(folder, ROWS_FILE));
  const path = join(RESULTS, `${provider}.md`);
  const unkept = unkeptOf(project.vitest.state.getTestModules());
  writeReport({ provider, versions: await cluster.versions(), rows, unkept, began, path });
  console.log(`the table of promises is in ${path}`);
}

function runningState(): ClusterState | undefined {
  const file = process.env['PROMISES_CLUSTER'];
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as ClusterState);
}

/** Loading takes a while: a cluster that runs on from one try to the next keeps a note of what it has. */
async function loadOnce(cluster: RealCluster, { folder }: ClusterState, archive: string): Promise<void> {
  const note = join(folder, 'promises-images');
  const wanted = `${archive} ${statSync(archive).mtimeMs}`;
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return;
  await cluster.loadImages(archive);
  writeFileSync(note, wanted);
}
