// All that is wrong with one WebApp, as far as it can be seen.
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { Component } from '../../names.ts';
import type { Pod } from '../../observed.ts';
import type { Decision } from '../decide.ts';
import { findVersion } from '../versions.ts';
import { isCatchingUp } from '../worker-tally.ts';
import type { World } from '../world.ts';
import { certificateProblems } from './certificate-problems.ts';
import { arrange, type Found } from './degraded.ts';
import { podProblems } from './pod-problems.ts';
import { deathProblems } from './process-deaths.ts';
import { waitProblems } from './requests-wait.ts';
import {
  apiProblems,
  deploymentProblems,
  migrationProblems,
  referenceProblems,
  reportProblems,
  toldByPods,
} from './world-problems.ts';

/** @param wall milliseconds since the epoch @returns arranged and bounded */
export function findProblems(world: World, decision: Decision, wall: number): StatusProblem[] {
  const { observed, webApp, before, reports, proxyReports } = world;
  const { spec } = webApp;
  const sameSpec = before?.observedGeneration === webApp.metadata.generation;
  const told = sameSpec ? (before?.problems ?? []) : [];
  const lacking = referenceProblems(observed.references, told);
  const catchingUp = isCatchingUp(world);
  return arrange([
    ...lacking,
    ...apiProblems(spec, observed.apis),
    ...migrationProblems(decision.migration),
    ...componentProblems(world, 'worker').map((problem) => atReference(problem, lacking)),
    ...componentProblems(world, 'proxy'),
    ...migratePodProblems(world, decision),
    ...reportProblems(reports, proxyReports),
    ...(catchingUp ? toldByPods(before?.problems ?? []) : []),
    ...deathProblems(reports, before?.problems ?? [], catchingUp, wall),
    ...waitProblems(reports, before?.problems ?? [], catchingUp, wall),
    ...certificateProblems(observed.certificate, told, wall),
    ...rolledBack(world, decision, before?.problems ?? []),
  ]);
}

function componentProblems(world: World, component: 'worker' | 'proxy'): Found[] {
  const { worker, proxy, webApp } = world;
  const found = problemsOfPods(world, component);
  const live = component === 'worker' ? worker : proxy;
  return [...found, ...deploymentProblems(component, live, found, webApp.spec.rollout.progressDeadline)];
}

/** A migration that cannot begin; one that fails is told by its Job. */
function migratePodProblems(world: World, { migration }: Decision): Found[] {
  if (migration.state !== 'running') return [];
  return problemsOfPods(world, 'migrate').filter(({ type }) => type !== 'Crashing');
}

function problemsOfPods({ livePods, before, webApp, workerVersions }: World, component: Component): Found[] {
  const imageOf = ({ revision }: Pod): string | undefined =>
    component === 'migrate' ? webApp.spec.image : findVersion(workerVersions, revision)?.image;
  const pods = livePods.filter((pod) => pod.component === component);
  return podProblems(pods, before?.problems ?? [], imageOf);
}

/** What the kubelet says of a missing key stands at the reference that names it, once. */
function atReference(problem: Found, lacking: readonly Found[]): Found {
  const [known] = lacking;
  return problem.type === 'ReferenceMissing' && known ? known : problem;
}

/** The cause is taken from the pods when the version is given up; later they are gone, and what was told stays. */
function rolledBack(world: World, { failed, target }: Decision, before: readonly StatusProblem[]): Found[] {
  if (failed === undefined || target === undefined) return [];
  const told = before.find(({ type, message }) => type === 'RolledBack' && message.includes(failed));
  const causes = told ? [] : componentProblems(world, 'worker');
  const cause = causes[0] === undefined ? '' : ` ${causes[0].field}: ${causes[0].message}`;
  return [
    {
      type: 'RolledBack',
      field: told?.field ?? causes[0]?.field ?? 'spec.image',
      message: told?.message ?? `Version ${failed} was not ready in time; version ${target.id} serves.${cause}`,
      mend: told?.mend ?? `${causes[0]?.mend ?? 'mend the application'}; the next change of the spec is rolled out`,
    },
  ];
}
