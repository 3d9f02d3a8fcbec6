// Whether this Node can run the programs: an older one would fail somewhere, at a word that it does not know.
import { Failure } from './failure.ts';

/**
 * @param version such as `20.11.1` @param wanted of package.json, `>=MAJOR.MINOR`
 * @throws Failure NODE_TOO_OLD
 */
export function assertNode(version: string, wanted: string): void {
  const least = wanted.replace('>=', '');
  const [major = 0, minor = 0] = numbersOf(version);
  const [leastMajor = 0, leastMinor = 0] = numbersOf(least);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  const mend = 'install a newer one (https://nodejs.org/en/download), or put it first on the PATH';
  throw new Failure('NODE_TOO_OLD', `webapp needs Node ${least} or newer, and this is Node ${version}`, mend);
}

const numbersOf = (version: string): number[] => version.split('.').map(Number);
