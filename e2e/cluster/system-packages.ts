// What a native cluster and the tests take from the distribution, and how to get it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian's package → a file that is there when it is installed. */
const CLUSTER_PACKAGES = {
  containerd: '/usr/bin/containerd',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iptables: '/usr/sbin/iptables',
  conntrack: '/usr/sbin/conntrack',
  ipset: '/usr/sbin/ipset',
  iproute2: '/sbin/ip',
  'util-linux': '/usr/bin/nsenter',
  openssl: '/usr/bin/openssl',
} as const;

/** What images are built with where no Docker is, and the applications of tests run with. */
const IMAGE_PACKAGES = {
  buildah: '/usr/bin/buildah',
  debootstrap: '/usr/sbin/debootstrap',
  // Debian's plain busybox has the same path, and needs libraries that an image of nothing else lacks.
  'busybox-static': '/var/lib/dpkg/info/busybox-static.list',
} as const;

/** What reads our metrics, and looks at our page, in tests. */
const VIEWER_PACKAGES = { prometheus: '/usr/bin/promtool', chromium: '/usr/bin/chromium' } as const;

const missingOf = (packages: Readonly<Record<string, string>>): string[] =>
  Object.keys(packages).filter((name) => !existsSync(packages[name] ?? ''));

/** @returns which packages a native cluster lacks here, and how to install them; undefined when none */
export function whyNoSystemPackages(): string | undefined {
  const missing = missingOf(CLUSTER_PACKAGES);
  if (missing.length === 0) return undefined;
  return `not installed: ${missing.join(', ')}. On Debian and Ubuntu: npm run cluster install`;
}

/** By apt-get, those that are missing. @throws Error when it fails or there is no apt-get */
export function installSystemPackages(): readonly string[] {
  const missing = missingOf({ ...CLUSTER_PACKAGES, ...IMAGE_PACKAGES, ...VIEWER_PACKAGES });
  if (missing.length === 0) return missing;
  if (!existsSync('/usr/bin/apt-get')) throw new Error(`no apt-get here: install what has ${missing.join(', ')}`);
  const aptGet = (...args: string[]): void => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} ended with ${status}: are you root?`);
  };
  aptGet('update', '-qq');
  aptGet('install', '-qq', '--no-install-recommends', ...missing);
  return missing;
}
