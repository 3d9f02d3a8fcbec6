// Who may do what, by the cluster's own answer (`kubectl auth can-i`).
import { expect, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { SHOPS } from './images.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';
import { type Place, type Rig, useRig } from './rig.ts';

const rig = useRig();

const LIGHT = { perSecond: 10 };

test('nobody may do more than is meant', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  await bind(place, 'view', 'vera');
  await bind(place, 'edit', 'edith');
  const promise = 'RBAC: proxy, worker, operator and people may do what is meant, and no more';
  const loads = await whileBothAreLoaded(place, { promise, load: LIGHT }, async () => {
    for (const { name } of SHOPS) await expectAccounts(place, name);
    await expectOperator(place);
    await expectPeople(place);
    return undefined;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

const accountOf = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

async function bind(place: Place, role: 'view' | 'edit', user: string): Promise<void> {
  await place.kubectlOk('create', 'rolebinding', user, `--clusterrole=${role}`, `--user=${user}`);
}

async function expectAccounts(place: Place, webApp: string): Promise<void> {
  const proxy = accountOf(place.namespace, `${webApp}-proxy`);
  const everybodys = new Set(await rulesOf(place, accountOf(place.namespace, 'default')));
  const own = async (account: string) => (await rulesOf(place, account)).filter((rule) => !everybodys.has(rule));
  expect(await own(proxy)).toEqual(['discovery.k8s.io/endpointslices: get list watch']);
  expect(await mayWhat(place, proxy, ['watch endpointslices.discovery.k8s.io', 'get secrets', 'list pods'])).toEqual([
    'watch endpointslices.discovery.k8s.io',
  ]);
  expect(await canI(place.cluster, proxy, ['list', 'endpointslices.discovery.k8s.io', '-n', 'kube-system'])).toBe(
    false,
  );
  expect(await own(accountOf(place.namespace, `${webApp}-worker`))).toEqual([]);
}

const OPERATOR_MAY = [
  'watch webapps.webapp-operator.io',
  'patch webapps.webapp-operator.io/status',
  'create deployments.apps',
  'patch configmaps',
  'patch pods',
  'create jobs.batch',
  'create poddisruptionbudgets.policy',
  'create networkpolicies.networking.k8s.io',
  'watch secrets',
];
const OPERATOR_MAY_NOT = [
  'patch webapps.webapp-operator.io',
  'delete webapps.webapp-operator.io',
  'create secrets',
  'patch secrets',
  'delete secrets',
  'create pods',
  'delete pods',
  'create pods/exec',
  'get pods/log',
  'create clusterroles.rbac.authorization.k8s.io',
  'escalate roles.rbac.authorization.k8s.io',
  'bind roles.rbac.authorization.k8s.io',
  'impersonate users',
  'patch nodes',
  'create serviceaccounts/token',
];

async function expectOperator(place: Place): Promise<void> {
  const operator = accountOf(OPERATOR_NAMESPACE, 'webapp-operator');
  expect(await mayWhat(place, operator, [...OPERATOR_MAY, ...OPERATOR_MAY_NOT])).toEqual(OPERATOR_MAY);
}

const PEOPLE = {
  view: ['get webapps.webapp-operator.io', 'list webapps.webapp-operator.io'],
  edit: [
    'create webapps.webapp-operator.io',
    'patch webapps.webapp-operator.io',
    'delete webapps.webapp-operator.io',
    'patch webapps.webapp-operator.io/scale',
  ],
  never: ['patch webapps.webapp-operator.io/status'],
};

async function expectPeople(place: Place): Promise<void> {
  const { view, edit, never } = PEOPLE;
  const all = [...view, ...edit, ...never];
  expect(await mayWhat(place, 'vera', all)).toEqual(view);
  expect(await mayWhat(place, 'edith', all)).toEqual([...view, ...edit]);
  expect(await mayWhat(place, 'strange', all)).toEqual([]);
}

/** @param questions such as `patch webapps.webapp-operator.io/status`. @returns those of them that are answered with yes */
async function mayWhat({ cluster, namespace }: Place, user: string, questions: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const question of questions) {
    if (await canI(cluster, user, [...wordsOf(question), '-n', namespace])) answers.push(question);
  }
  return answers;
}

function wordsOf(question: string): string[] {
  const [verb = '', what = ''] = question.split(' ');
  const [resource = '', subresource] = what.split('/');
  return [verb, resource, ...(subresource === undefined ? [] : [`--subresource=${subresource}`])];
}

/** kubectl answers no with exit code 1, and what it does not know with a warning. */
async function canI({ kubectl }: Rig['cluster'], user: string, words: readonly string[]): Promise<boolean> {
  const { stdout, stderr } = await kubectl(['auth', 'can-i', ...words], { as: user });
  const answer = stdout.trim();
  const isAnswer = answer === 'yes' || answer.startsWith('no');
  if (!isAnswer || stderr.includes("doesn't have a resource type"))
    throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
  return answer === 'yes';
}

interface RulesReview {
  readonly status: {
    readonly resourceRules: readonly {
      readonly apiGroups?: readonly string[];
      readonly resources?: readonly string[];
      readonly verbs: readonly string[];
    }[];
  };
}

/** @returns all that RBAC gives it in the namespace, such as `discovery.k8s.io/endpointslices: get list watch` */
async function rulesOf({ cluster, namespace }: Place, user: string): Promise<string[]> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  // kubectl would look at the CRDs for that, which this user may not.
  const create = ['create', '-f', '-', '-o', 'json', '--validate=false'];
  const { code, stdout, stderr } = await cluster.kubectl(create, {
    input: JSON.stringify(review),
    as: user,
  });
  if (code !== 0) throw new Error(stderr);
  const { resourceRules } = (JSON.parse(stdout) as RulesReview).status;
  return resourceRules
    .map(({ apiGroups = [], resources = [], verbs }) => `${apiGroups}/${resources}: ${verbs.join(' ')}`)
    .sort();
}
