"""Finds the application: `module:attribute`, imported and checked, or a BootError: what is wrong, how to mend it."""

import ast
import contextlib
import importlib
import inspect
import os
import sys

from .faults import traceback_of

_USUAL_NAMES = ("app", "application")
_MAX_TRACEBACK = 32 * 1024
_MAX_MESSAGE = 500


class BootError(Exception):
    def __init__(self, reason, mend, cause=None):
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        trace = "" if cause is None else traceback_of(cause)
        self.traceback = trace if len(trace) <= _MAX_TRACEBACK else "…" + trace[-_MAX_TRACEBACK:]


def load_app(spec):
    """
    :param spec: `module`, `module:name`, `module:name.attribute`, `module:factory("literal", debug=True)`
    :returns: the application, callable
    :raises BootError:
    """
    module_name, _, expression = spec.partition(":")
    module = _import(module_name, spec)
    app = _find(module, expression) if expression else _find_usual(module)
    _check(app, spec)
    return app


# ── importing ──


def _import(name, spec):
    if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
        raise BootError(f'"{spec}" does not name a Python module', _mend_for_path(name))
    try:
        with _flask_run_ignored():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise _missing_module(name, error) from error
    except SyntaxError as error:
        place = f"{_relative(error.filename)}:{error.lineno}"
        raise BootError(f"{type(error).__name__} in {place}: {error.msg}", f"Correct {place}.", error) from error
    except BaseException as error:
        raise _failed_import(name, error) from error


@contextlib.contextmanager
def _flask_run_ignored():
    """An app.run() outside of `if __name__ == "__main__"` would serve here for ever: Flask ignores it, and says so."""
    name = "FLASK_RUN_FROM_CLI"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def _mend_for_path(name):
    if name.endswith(".py"):
        return "Write it as a module: %s" % name[: -len(".py")].strip("./").replace("/", ".")
    return "Write module:callable, such as shop:app for the variable app in shop.py."


def _missing_module(name, error):
    missing = error.name
    if not missing:
        return _failed_import(name, error)
    if name == missing or name.startswith(missing + "."):
        return _missing_own(missing)
    return BootError(f"No module named '{missing}'", _mend_missing(missing), error)


def _failed_import(name, error):
    return BootError(
        f"{name} could not be imported: {_told(error)}",
        f'The traceback says where; `python -c "import {name}"` must end without an error.',
        error,
    )


def _missing_own(missing):
    package, _, last = missing.rpartition(".")
    folder = os.path.join(os.getcwd(), *filter(None, package.split(".")))
    there = _modules_in(folder)
    near = _nearest(last, there)
    if near:
        mend = f"Did you mean {package + '.' if package else ''}{near}?"
    else:
        mend = f"Name the module that makes the application; there are: {', '.join(there[:8]) or 'none'}."
    return BootError(f"There is no module {last} in {folder}", mend)


def _mend_missing(missing):
    from .packages import package_of

    install = f"{sys.executable} -m pip install"
    near = _nearest(missing.partition(".")[0], _modules_in(os.getcwd()))
    if near:
        return f"Did you mean {near}? Else install it: {install} {package_of(missing)}"
    if os.path.exists("requirements.txt"):
        return (
            f"Install what the application needs: {install} -r requirements.txt"
            f" (list {package_of(missing)} there if it is not)."
        )
    return f"Install it: {install} {package_of(missing)}"


def _nearest(name, names):
    """:returns: the one that may be meant, or None"""
    import difflib  # what tells of failures is loaded by those that fail only

    return next(iter(difflib.get_close_matches(name, names, 1)), None)


def _modules_in(folder):
    if not os.path.isdir(folder):
        return []
    found = []
    for entry in sorted(os.listdir(folder)):
        stem, extension = os.path.splitext(entry)
        if stem.isidentifier() and (extension == ".py" or os.path.exists(os.path.join(folder, entry, "__init__.py"))):
            found.append(stem)
    return [name for name in found if not name.startswith("__")]


# ── finding ──


def _find_usual(module):
    for name in _USUAL_NAMES:
        if hasattr(module, name):
            return getattr(module, name)
    raise BootError(
        f"{module.__name__} has neither app nor application",
        _mend_attribute(module, "app"),
    )


def _find(module, expression):
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        raise _bad_expression(expression) from None
    if isinstance(tree, ast.Call):
        return _call_factory(_resolve(module, tree.func, expression), tree, expression)
    return _resolve(module, tree, expression)


def _resolve(module, tree, expression):
    if isinstance(tree, ast.Name):
        owner, name = module, tree.id
    elif isinstance(tree, ast.Attribute):
        owner, name = _resolve(module, tree.value, expression), tree.attr
    else:
        raise _bad_expression(expression)
    try:
        return getattr(owner, name)
    except AttributeError:
        where = getattr(owner, "__name__", type(owner).__name__)
        raise BootError(f"{where} has no {name}", _mend_attribute(owner, name)) from None


def _call_factory(factory, call, expression):
    try:
        args = [ast.literal_eval(arg) for arg in call.args]
        kwargs = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
        if len(kwargs) != len(call.keywords):
            raise ValueError
    except ValueError:
        raise BootError(
            f'the arguments in "{expression}" are not literals',
            'Give plain values only, such as create_app("production", debug=False).',
        ) from None
    try:
        app = factory(*args, **kwargs)
    except BaseException as error:
        raise BootError(f"{expression} failed: {_told(error)}", "The traceback says where.", error) from error
    if app is None:
        raise BootError(f"{expression} returned None", "The factory must end with `return app`.")
    return app


def _bad_expression(expression):
    return BootError(
        f'"{expression}" is not a name of an application',
        'Write a name, a dotted name, or a call with plain values: app, site.app, create_app("production").',
    )


def _mend_attribute(owner, name):
    names = list(vars(owner)) if hasattr(owner, "__dict__") else []
    apps = [entry for entry in names if not entry.startswith("_") and _seems_app(owner, entry)][:8]
    listed = f"What looks like an application there: {', '.join(apps)}." if apps else ""
    near = _nearest(name, [entry for entry in names if not entry.startswith("__")])
    if near:
        return f"Did you mean {near}? {listed}".strip()
    return listed or "Define it there: a Flask or Django application, or any WSGI callable."


def _seems_app(owner, name):
    """Whether it looks like an application, or like a function that makes one."""
    try:
        value = getattr(owner, name)
        if inspect.isclass(value) or inspect.ismodule(value) or not callable(value):
            return False
        if inspect.isfunction(value):
            return value.__module__ == owner.__name__ and (_takes(value, 2) or _seems_factory(name))
        return hasattr(value, "wsgi_app") or _takes(value, 2)
    except Exception:
        return False  # such as Flask's `request`, which fails whatever it is asked outside of a request


def _seems_factory(name):
    return name.startswith(("create_app", "make_app", "get_app", "build_app", "create_application"))


# ── checking ──


def _check(app, spec):
    if _is_asgi(app):
        raise BootError(
            f"{spec} is an ASGI application ({_kind(app)}), not WSGI",
            "Only WSGI applications run now; an ASGI application (FastAPI, Starlette, Quart) cannot be served yet.",
        )
    if not callable(app):
        raise BootError(
            f"{spec} is not callable: it is {_article(_kind(app))}",
            "Name the application itself, such as the Flask object, or a WSGI callable.",
        )
    if inspect.isfunction(app) and (not _takes(app, 2) or _is_factory(app)):
        raise BootError(
            f"{spec} is a function that does not take (environ, start_response)",
            f"If it makes the application, call it: {spec}()" if _takes(app, 0) else "Name a WSGI callable.",
        )


def _is_asgi(app):
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(type(app), "__call__", None))


def _is_factory(function):
    """Whether it can be called without arguments, though it does not take just any, as an undeclared decorator does."""
    parameters = inspect.signature(function).parameters.values()
    return _takes(function, 0) and all(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters)


def _takes(function, count):
    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _kind(value):
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _article(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


def _told(error):
    """:returns: type and first line of the message"""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        lines = []
    return f"{type(error).__name__}: {lines[0][:_MAX_MESSAGE]}" if lines else type(error).__name__


def _relative(filename):
    return os.path.relpath(filename) if filename and filename.startswith(os.getcwd() + os.sep) else filename
