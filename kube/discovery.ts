// Which optional APIs the server has. Asked anew now and then: a CRD may be installed later.
import type { Resource } from './object.ts';
import type { Transport } from './transport.ts';

/** @returns those of `wanted` that the server serves. A group that is not there is an answer, not an error. @throws KubeError when the server cannot be asked */
export declare function discover(transport: Transport, wanted: readonly Resource[]): Promise<ReadonlySet<Resource>>;
