// The few ways in which this page changes itself. Everything that was told goes in as text; elements that stay keep their identity, so that focus, selection and
// an opened <details> outlive the next picture.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Only what differs is written: a screen reader, and a person who selects, are not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setShown(element: HTMLElement, shown: boolean): void {
  if (element.hidden === shown) element.hidden = !shown;
}

export function setData(element: HTMLElement, key: string, value: string): void {
  if (element.dataset[key] !== value) element.dataset[key] = value;
}

/** @returns a new element with this class and text */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, name = '', text = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name !== '') element.className = name;
  if (text !== '') element.textContent = text;
  return element;
}

export interface Keyed<T, E extends HTMLElement> {
  key(item: T): string;
  make(item: T): E;
  update(element: E, item: T): void;
}

/** Makes `parent` hold one element for each item, in order. */
export function fill<T, E extends HTMLElement>(parent: HTMLElement, items: readonly T[], how: Keyed<T, E>): void {
  const there = new Map([...parent.children].map((child) => [(child as HTMLElement).dataset['key'], child as E]));
  let before: Element | null = parent.firstElementChild;
  for (const item of items) {
    const key = how.key(item);
    const element = there.get(key) ?? how.make(item);
    there.delete(key);
    element.dataset['key'] = key;
    if (element === before) before = before.nextElementSibling;
    else parent.insertBefore(element, before);
    how.update(element, item);
  }
  for (const gone of there.values()) gone.remove();
}

/** Lines of a list. */
export function fillTexts(parent: HTMLElement, name: string, texts: readonly string[]): void {
  fill(
    parent,
    texts.map((text, index) => ({ text, index })),
    {
      key: ({ index }) => String(index),
      make: () => make('li', name),
      update: (element, { text }) => setText(element, text),
    },
  );
}
