// The operator's program. Today it prints the CustomResourceDefinition; reconciling comes with operator/webapp/.
import { stringify } from 'yaml';
import { makeCrd } from '../core/app/crd.ts';

const USAGE = 'usage: webapp-operator crd    prints the CustomResourceDefinition, for kubectl apply -f -';

if (process.argv[2] === 'crd') {
  process.stdout.write(stringify(makeCrd(), { lineWidth: 120, aliasDuplicateObjects: false }));
} else {
  console.error(USAGE);
  console.error('This version does not run in a cluster yet: `webapp up` serves a WebApp on this machine.');
  process.exitCode = process.argv[2] === '--help' ? 0 : 2;
}
