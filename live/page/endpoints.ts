// The proxies, the workers they send requests to, and by which configuration each program runs.
import type { ConfigPicture, EndpointPicture, Picture, ProxyPicture } from '../picture.ts';
import { count, formatAgo } from '../words.ts';
import { byId, fill, make, setData, setShown, setText } from './dom.ts';

const STATE_WORDS: Readonly<Record<EndpointPicture['state'], string>> = {
  ready: 'ready',
  failing: 'failing: asked only when no other is there',
  draining: 'leaving: finishes what it has',
};

export function drawEndpoints({ proxies, workers }: Picture): void {
  fill(byId('proxies'), proxies, {
    key: ({ place }) => place,
    make: makeProxy,
    update: (box, proxy) => updateProxy(box, proxy, proxies.length > 1),
  });
  const programs = [
    ...proxies.map((proxy) => ({ kind: 'proxy', ...proxy })),
    ...workers.map((worker) => ({ kind: 'worker', ...worker })),
  ];
  fill(byId('applied'), programs, {
    key: ({ kind, place }) => `${kind} ${place}`,
    make: () => make('li'),
    update: (item, { kind, place, config }) => {
      setData(item, 'tone', config?.error === undefined ? 'good' : 'bad');
      setText(item, `${place === 'here' ? `The ${kind}` : `${kind} ${place}`} ${appliedText(config)}`);
    },
  });
}

function appliedText(config: ConfigPicture | undefined): string {
  if (config === undefined) return 'does not answer.';
  const taken = `runs by configuration ${config.hash}, taken ${formatAgo(config.appliedAgoMs)}.`;
  return config.error === undefined ? taken : `${taken} It refused the newest: ${config.error}`;
}

function makeProxy(): HTMLDivElement {
  const box = make('div', 'proxy');
  box.append(make('h3'), make('p', 'quiet'), make('ul', 'endpoints'));
  return box;
}

function updateProxy(box: HTMLDivElement, proxy: ProxyPicture, isOneOfMany: boolean): void {
  const [title, remark, list] = box.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
  setShown(title, isOneOfMany);
  setText(title, proxy.place);
  setText(remark, remarkOf(proxy));
  fill(list, proxy.endpoints, {
    key: ({ address }) => address,
    make: ({ address }) => {
      const item = make('li');
      item.append(make('code', '', address), make('strong'), make('span'));
      return item;
    },
    update: updateEndpoint,
  });
}

function remarkOf({ state, why, connections }: ProxyPicture): string {
  if (state === 'silent') return `The proxy does not answer${why === undefined ? '.' : `: ${why}`}`;
  const leaving = state === 'draining' ? ' It finishes what it has and stops.' : '';
  return `${count(connections?.open ?? 0, 'connection')} of users open, ${connections?.max ?? 0} may be.${leaving}`;
}

function updateEndpoint(item: HTMLLIElement, { state, outstanding, failures }: EndpointPicture): void {
  const [, word, rest] = item.children;
  setData(item, 'state', state);
  if (word) setText(word, STATE_WORDS[state]);
  const failed = failures > 0 ? `, ${count(failures, 'connection')} failed in a row` : '';
  if (rest) setText(rest, `${count(outstanding, 'request')} there now${failed}`);
}
