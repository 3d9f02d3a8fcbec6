// What names a Python module binds when it is imported, read from its text: the application is never imported to find it.
// Pure. Not a parser of Python: it knows strings, brackets, comments and indentation, which is enough to tell statements apart.

/** A name that a module binds at its top level. */
export interface Binding {
  readonly name: string;
  readonly kind: 'assignment' | 'function' | 'coroutine' | 'class' | 'import';
  /** Of an assignment from a call: what is called, such as `Flask` or `falcon.App`. */
  readonly callee?: string;
  /** Of an assignment from a call: the text behind the opening bracket. */
  readonly callText?: string;
  /** Of a function: its parameters without a default value. */
  readonly required?: readonly string[];
  /** Of `from module import name`: the module. */
  readonly module?: string;
}

interface Statement {
  /** Columns of white space before it; a tab counts as 8 (Python's own rule). */
  readonly indent: number;
  readonly text: string;
}

/** Source beyond this many UTF-16 units is not read: no module that holds an application is so long. */
const MAX_SOURCE = 1_000_000;

/** @returns every binding at the top level, in order, those in `if`, `try` and `with` included, save under the main guard */
export function topLevelBindings(source: string): Binding[] {
  const bindings: Binding[] = [];
  let hiddenBeyond = Number.POSITIVE_INFINITY;
  for (const { indent, text } of statements(source)) {
    if (indent > hiddenBeyond) continue;
    const hides = /^(async\s+)?(def|class)\b|^if\s+__name__\b/.test(text);
    hiddenBeyond = hides ? indent : Number.POSITIVE_INFINITY;
    bindings.push(...bindingsOf(text));
  }
  return bindings;
}

function bindingsOf(text: string): Binding[] {
  const definition = /^(async\s+)?(def|class)\s+(\w+)\s*(?:\[[^\]]*\])?\s*(\(?)/.exec(text);
  if (definition) return [definitionOf(definition, text)];
  const imported = /^from\s+([.\w]+)\s+import\s+([\s\S]+)$/.exec(text);
  if (imported) return importsOf(imported[1] ?? '', imported[2] ?? '');
  return assignmentsOf(text);
}

function definitionOf(match: RegExpExecArray, text: string): Binding {
  const [head, isAsync, keyword, name = ''] = match;
  if (keyword === 'class') return { name, kind: 'class' };
  return {
    name,
    kind: isAsync ? 'coroutine' : 'function',
    required: requiredParameters(insideBrackets(text, head.length)),
  };
}

function importsOf(module: string, list: string): Binding[] {
  return list
    .replace(/[()\\]/g, ' ')
    .split(',')
    .map((item) => /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(item))
    .filter((item) => item !== null)
    .map((item) => ({ name: item[2] ?? item[1] ?? '', kind: 'import', module }) as const);
}

/** `app = application = Flask(__name__)` binds both; `app: Flask = …` is annotated; `app == x` is no assignment. */
function assignmentsOf(text: string): Binding[] {
  const names: string[] = [];
  let rest = text;
  for (let match = TARGET.exec(rest); match; match = TARGET.exec(rest)) {
    names.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
  const call = /^([A-Za-z_][\w.]*)\s*\(/.exec(rest);
  const callee = call?.[1];
  const callText = call ? insideBrackets(rest, call[0].length) : undefined;
  return names.map((name) => ({
    name,
    kind: 'assignment',
    ...(callee !== undefined && { callee }),
    ...(callText !== undefined && { callText }),
  }));
}
const TARGET = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*/;

/** @param parameters text between the brackets of a `def` */
function requiredParameters(parameters: string): string[] {
  const required: string[] = [];
  let keywordOnly = false;
  for (const part of splitAtCommas(parameters)) {
    const text = part.trim();
    if (text === '' || text === '/' || text.startsWith('**')) continue;
    if (text.startsWith('*')) {
      keywordOnly = true;
      continue;
    }
    const hasDefault = /=/.test(text.replace(/[=!<>]=/g, ''));
    if (!hasDefault) required.push(`${keywordOnly ? '*' : ''}${/^\w+/.exec(text)?.[0] ?? text}`);
  }
  return required;
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const skipped = stringEnd(text, at);
    if (skipped > at) at = skipped - 1;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/** @returns the text from `from`, just behind an opening bracket, to the bracket that closes it */
function insideBrackets(text: string, from: number): string {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    const skipped = stringEnd(text, at);
    if (skipped > at) at = skipped - 1;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return text.slice(from, at);
  }
  return text.slice(from);
}

/** @returns the module's statements: lines joined over brackets, strings and backslashes, without comments */
export function statements(source: string): Statement[] {
  const text = source.slice(0, MAX_SOURCE).replace(/^\uFEFF/, '');
  const found: Statement[] = [];
  let current = '';
  let depth = 0;
  const finish = (): void => {
    if (current.trim() !== '') found.push({ indent: indentOf(current), text: current.trim() });
    current = '';
  };
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    const end = stringEnd(text, at);
    if (end > at) {
      current += text.slice(at, end);
      at = end;
      continue;
    }
    at++;
    if (char === '#') at = endOfLine(text, at);
    else if (char === '\\' && /^\r?\n/.test(text.slice(at, at + 2))) at = endOfLine(text, at) + 1;
    else if (char === '\n' && depth === 0) finish();
    else if (char === ';' && depth === 0) {
      const indent = /^\s*/.exec(current)?.[0] ?? '';
      finish();
      current = indent;
    } else {
      if ('([{'.includes(char)) depth++;
      else if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
      current += char;
    }
  }
  finish();
  return found;
}

/** @returns the index behind the string literal that begins at `at` with a quote; `at` when none does */
function stringEnd(text: string, at: number): number {
  const quote = text.charAt(at);
  if (quote !== '"' && quote !== "'") return at;
  const fence = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  for (let index = at + fence.length; index < text.length; index++) {
    const char = text.charAt(index);
    if (char === '\\') index++;
    else if (text.startsWith(fence, index)) return index + fence.length;
    else if (char === '\n' && fence.length === 1) return index; // unterminated: the statement ends here, as the line does
  }
  return text.length;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function indentOf(line: string): number {
  let indent = 0;
  for (const char of line) {
    if (char === ' ') indent++;
    else if (char === '\t') indent += 8 - (indent % 8);
    else break;
  }
  return indent;
}
