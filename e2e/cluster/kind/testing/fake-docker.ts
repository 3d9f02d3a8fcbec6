// `docker` as kind and the provider call it, without containers: notes every call, remembers nodes and the files written into them, and
// answers what the real one would. Started as a program; FAKE_DOCKER is the folder in which it keeps all this.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const place = process.env['FAKE_DOCKER'] ?? '';
const args = process.argv.slice(2);
const input = args.includes('-i') ? readFileSync(0) : undefined;
appendFileSync(join(place, 'calls.jsonl'), `${JSON.stringify(args)}\n`);

interface Container {
  readonly name: string;
  readonly role: string;
}

const keep = (path: string, content: string | Buffer): void => {
  mkdirSync(dirname(join(place, path)), { recursive: true });
  writeFileSync(join(place, path), content);
};
const recall = (path: string): string | undefined =>
  existsSync(join(place, path)) ? readFileSync(join(place, path), 'utf8') : undefined;
const forget = (path: string): void => rmSync(join(place, path), { recursive: true, force: true });

const containers = (): Container[] =>
  existsSync(join(place, 'containers'))
    ? readdirSync(join(place, 'containers')).map((name) => ({ name, role: recall(`containers/${name}`) ?? '' }))
    : [];

function fail(words: string): never {
  console.error(words);
  process.exit(1);
}

const optionOf = (name: string): string => args[args.indexOf(name) + 1] ?? '';

function run(): string {
  const label = args.find((arg) => arg.startsWith('io.x-k8s.kind.role=')) ?? '';
  keep(`containers/${optionOf('--name')}`, label.split('=')[1] ?? '');
  return 'f00d';
}

function info(): string {
  const whole = { CgroupVersion: '2', CgroupDriver: 'systemd', MemoryLimit: true, PidsLimit: true, CPUShares: true };
  return args.includes('{{json .}}') ? JSON.stringify(whole) : '[]';
}

function inspect(): string {
  if (args.includes('--type=image')) fail('no such image');
  const format = optionOf(args.includes('-f') ? '-f' : '--format');
  const role = containers().find(({ name }) => name === args.at(-1))?.role;
  if (format.includes('kind.role')) return role ?? fail('no such container');
  if (format.includes('desktop.docker.io')) return '';
  if (format.includes('NetworkSettings.Ports')) return `127.0.0.1\t${recall('port')}`;
  if (format.includes('IPAddress')) return '172.18.0.2,';
  return fail(`what is ${format}?`);
}

/** The API server's container comes back once after its manifest is gone: the kubelet has not noticed yet. */
const API_SERVER: Readonly<Record<string, () => string>> = {
  'crictl ps --quiet --name ^kube-apiserver$': () => recall('api-server') ?? '',
  'crictl pods --quiet --state Ready --namespace kube-system --label component=kube-apiserver': () =>
    recall('api-server') === undefined ? '' : 'p1',
  'ctr --namespace k8s.io tasks kill --signal SIGKILL c1': () => {
    keep('api-server', 'c2');
    return '';
  },
  'ctr --namespace k8s.io tasks kill --signal SIGKILL c2': () => {
    forget('api-server');
    return fail('process already finished: not found');
  },
};

const FILES: Readonly<Record<string, () => string>> = {
  '/kind/version': () => recall('version') ?? '',
  '/etc/kubernetes/admin.conf': () => recall('admin.conf') ?? '',
  '/kind/manifests/default-cni.yaml': () => 'kind: DaemonSet',
  '/kind/manifests/default-storage.yaml': () => 'kind: StorageClass',
};

function exec(): string {
  const [node = '', ...command] = args.slice(1).filter((arg) => arg !== '--privileged' && arg !== '-i');
  const text = command.join(' ');
  if (input !== undefined) keep(`nodes/${node}/${text.replaceAll('/', '_')}`, input);
  const answer = API_SERVER[text];
  if (answer !== undefined) return answer();
  if (text.startsWith('kubeadm init') && existsSync(join(place, 'broken'))) fail('the kubelet is not healthy');
  if (command[0] === 'cat') return FILES[command[1] ?? '']?.() ?? fail(`no file ${command[1]}`);
  if (text === 'containerd config dump')
    return 'version = 3\n[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "overlayfs"';
  if (text.startsWith('kubectl') && text.includes('get nodes')) return "'True'";
  return '';
}

const ANSWERS: Readonly<Record<string, () => string>> = {
  '-v': () => 'Docker version 28.2.2, build fake',
  version: () => '28.2.2',
  info,
  inspect,
  run,
  exec,
  pull: () => '',
  ps: () =>
    containers()
      .map(({ name }) => name)
      .join('\n'),
  logs: () => 'Reached target Multi-User System.',
  rm: () => {
    for (const { name } of containers()) if (args.includes(name)) forget(`containers/${name}`);
    return '';
  },
  network: () => (args[1] === 'inspect' ? '[{"Id":"n1","Name":"kind","Containers":{}}]' : 'n1'),
};

const said = (ANSWERS[args[0] ?? ''] ?? (() => fail(`what is docker ${args.join(' ')}?`)))();
if (said !== '') console.log(said);
