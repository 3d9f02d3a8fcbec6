// The release of our chart that the promises are held with, where they need Helm.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Helm, makeHelm, type Values } from './helm.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';
import type { Rig } from './rig.ts';

export const RELEASE = 'webapp-operator';
export const IN_PLACE = ['--namespace', OPERATOR_NAMESPACE];
export const WAITING = [...IN_PLACE, '--wait', '--timeout', '3m'];

/** For all tests of a file. */
export function useHelm(rig: () => Rig): () => Helm {
  const folder = mkdtempSync(join(tmpdir(), 'helm-'));
  let helm: Helm | undefined;
  beforeAll(async () => {
    helm = await makeHelm(rig().cluster.kubeconfig, folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return () => {
    if (helm === undefined) throw new Error('Helm is there when the tests of a file have begun');
    return helm;
  };
}

/** Whoever installed what is there; with these values, and none of those that the release had. */
export function upgradeOrInstall(helm: Helm, chart: string, values: Values = {}): Promise<string> {
  const how = ['--install', '--take-ownership', '--force-conflicts', '--reset-values'];
  return helm.ok(['upgrade', ...how, RELEASE, chart, ...WAITING], values);
}
