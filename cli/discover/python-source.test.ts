import { expect, test } from 'vitest';
import { statements, topLevelBindings } from './python-source.ts';

const names = (source: string): string[] => topLevelBindings(source).map((binding) => binding.name);

test.each<[string, string, string[]]>([
  ['a plain assignment', 'app = Flask(__name__)\n', ['app']],
  ['two names at once', 'app = application = Flask(__name__)', ['app', 'application']],
  ['an annotation', 'app: Flask = Flask(__name__)', ['app']],
  ['a call over several lines', 'app = Flask(\n    __name__,\n    static_folder="x",\n)\nb = 1', ['app', 'b']],
  [
    'inside try and if',
    'try:\n    app = make()\nexcept ImportError:\n    app = None\nif DEBUG:\n  debug = 1',
    ['app', 'app', 'debug'],
  ],
  ['not inside a function', 'def create_app():\n    app = Flask(__name__)\n    return app\n', ['create_app']],
  ['not under the main guard', 'if __name__ == "__main__":\n    app = create_app()\n    app.run()\n', []],
  ['after a function again', 'def f():\n    x = 1\n\ny = 2', ['f', 'y']],
  [
    'imports with other names',
    'from shop import app as application, db\nfrom a import (\n  b,\n  c,\n)',
    ['application', 'db', 'b', 'c'],
  ],
  ['not in a docstring', '"""\napp = Flask(__name__)\n"""\n', []],
  ['not in a comment', '# app = Flask(__name__)\n', []],
  ['a hash inside a string', 'app = Flask("#") # app2 = 1\nb = 2', ['app', 'b']],
  ['two statements on a line', 'a = 1; b = 2', ['a', 'b']],
  ['comparison is no assignment', 'app == 3', []],
  ['an attribute is no name', 'app.config = 3', []],
  ['tabs', 'def f():\n\tapp = 1\nb = 2', ['f', 'b']],
  ['a byte order mark and CRLF', '\uFEFFapp = Flask(__name__)\r\nb = 2\r\n', ['app', 'b']],
  ['an unterminated string does not swallow the rest', "x = 'abc\napp = Flask(__name__)", ['x', 'app']],
  ['a backslash joins lines', 'app = \\\n  Flask(__name__)', ['app']],
])('%s', (_, source, wanted) => {
  expect(names(source)).toEqual(wanted);
});

test('what is called, and with what', () => {
  expect(topLevelBindings('app = flask.Flask(__name__, static_folder=f("a)b"), x=[1])')).toEqual([
    { name: 'app', kind: 'assignment', callee: 'flask.Flask', callText: '__name__, static_folder=f("a)b"), x=[1]' },
  ]);
});

test.each<[string, string, string[]]>([
  ['none', 'def create_app():', []],
  ['defaults', 'def create_app(config=None, *, debug: bool = False) -> Flask:', []],
  ['one without a default', 'def create_app(config, debug=False):', ['config']],
  ['annotated with brackets', 'def create_app(config: dict[str, int], x: Callable[[int], str] = f):', ['config']],
  ['star arguments need nothing', 'def create_app(*args, **kwargs):', []],
  ['keyword only', 'def create_app(*, config):', ['*config']],
  ['over several lines', 'def create_app(\n    config="a, b)",\n    other=(1, 2),\n):', []],
])('parameters without default: %s', (_, source, wanted) => {
  expect(topLevelBindings(source)[0]?.required).toEqual(wanted);
});

test('a coroutine is told from a function', () => {
  expect(topLevelBindings('async def app(scope, receive, send):\n  pass')[0]?.kind).toBe('coroutine');
});

test('hostile nesting ends', () => {
  expect(statements('('.repeat(100_000)).length).toBe(1);
  expect(statements('"""'.repeat(33_333)).length).toBe(1);
});
