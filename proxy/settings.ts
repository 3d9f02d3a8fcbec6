// What of proxy.json each part is given. Pure.
import type { ProxyConfig } from '../core/config/proxy.ts';
import type { DoorLimits } from '../http/listen.ts';

export function makeDoorLimits({ limits, timeouts }: ProxyConfig): DoorLimits {
  const { requestHeadMs, requestBodyMs, idleMs, sendMs } = timeouts;
  return Object.freeze({ ...limits, requestHeadMs, requestBodyMs, idleMs, sendMs });
}

/** Longest time that a request which makes progress may need to see its end in; a drain waits for no longer. Ms. */
export function drainBoundMs({ timeouts }: ProxyConfig): number {
  return Math.max(timeouts.requestHeadMs, timeouts.requestBodyMs, timeouts.sendMs, timeouts.responseMs);
}
