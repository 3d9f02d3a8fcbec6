// Objects as YAML for people to read: comments above fields and list items, long text folded. YAML 1.1, as kubectl reads it: there, `yes` and `on` are booleans
// unless they are quoted.
import { Document, isMap, isScalar, isSeq, type Node } from 'yaml';

type Path = readonly (string | number)[];
/** @returns what to say above a field or a list item, if anything */
export type CommentOf = (path: Path, value: unknown) => string | undefined;

const WIDTH = 120;
const sayings = new WeakMap<object, string>();

/** @returns `value`, above which YAML is to have `comment` */
export function said<T extends object>(comment: string, value: T): T {
  sayings.set(value, comment);
  return value;
}

/** @param header above the first document */
export function toYaml(objects: readonly object[], header = '', commentOf: CommentOf = saidOf): string {
  const documents = objects.map((object) => {
    const document = new Document(object, { aliasDuplicateObjects: false, version: '1.1' });
    annotate(document.contents, object, [], commentOf);
    return document.toString({ lineWidth: WIDTH, flowCollectionPadding: false });
  });
  return `${header === '' ? '' : `${comment(header, 0)}\n`}${documents.join('---\n')}`;
}

/** @returns what was said of `value` */
export function sayingOf(value: object): string | undefined {
  return sayings.get(value);
}

function saidOf(_: Path, value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? sayingOf(value) : undefined;
}

function annotate(node: Node | null, value: unknown, path: Path, commentOf: CommentOf): void {
  if (isMap(node)) {
    for (const { key, value: child } of node.items) {
      if (!isScalar(key)) continue;
      const name = String(key.value);
      const field = (value as Record<string, unknown>)[name];
      const text = commentOf([...path, name], field);
      if (text !== undefined) key.commentBefore = lines(text, path.length * 2).join('\n');
      annotate(child as Node, field, [...path, name], commentOf);
    }
  } else if (isSeq(node)) {
    node.flow = isShort(value);
    for (const [index, child] of node.items.entries()) {
      const item = (value as unknown[])[index];
      const text = commentOf([...path, index], item);
      if (text !== undefined) (child as Node).commentBefore = lines(text, path.length * 2).join('\n');
      annotate(child as Node, item, [...path, index], commentOf);
    }
  }
}

/** A few words stand on one line, as people write verbs and commands. */
function isShort(value: unknown): boolean {
  if (!Array.isArray(value) || value.some((item) => typeof item === 'object')) return false;
  return value.join(', ').length <= 60;
}

/** @returns `text` as comment lines. @param indent columns taken already */
export function comment(text: string, indent = 0): string {
  return lines(text, indent)
    .map((line) => (line === '' ? '#' : `#${line}`))
    .join('\n');
}

/** Folded at blanks; its own line breaks stay. Each begins with a blank, as yaml puts `#` right before it. */
function lines(text: string, indent: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const folded = [''];
    for (const word of paragraph.split(' ')) {
      const last = folded.at(-1) ?? '';
      if (last !== '' && indent + last.length + word.length + 2 > WIDTH) folded.push(` ${word}`);
      else folded[folded.length - 1] = `${last} ${word}`;
    }
    return folded;
  });
}
