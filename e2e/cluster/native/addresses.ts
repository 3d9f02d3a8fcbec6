// Who has which address in a native cluster's own network: nothing outside of it can see or reach any of them. Pure.

/** Where the control plane is, and the way from node to node. Known to cluster.sh and node.sh, too. */
export const CONTROL_PLANE_ADDRESS = '10.90.0.1';
export const API_SERVER_PORT = 6443;
export const SERVICE_RANGE = '10.96.0.0/16';
/** The API server's Service: the first address of the range. */
export const API_SERVER_SERVICE = '10.96.0.1';
export const DNS_SERVICE = '10.96.0.10';
export const POD_RANGE = '10.244.0.0/16';
export const CLUSTER_DOMAIN = 'cluster.local';

/** A node as the others see it. */
export interface NodePlace {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  readonly address: string;
  readonly podRange: string;
}

/** @param index from 0 to 9 */
export function placeOfNode(index: number): NodePlace {
  return { index, name: `node-${index}`, address: `10.90.0.1${index}`, podRange: `10.244.${index}.0/24` };
}
