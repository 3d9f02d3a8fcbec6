"""The head of a response: what an application gives to start_response, checked and put in the wire's form. PEP 3333."""

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# Control characters that no field may hold: all but the tab, and NUL, which joins.
_CONTROLS = bytes(code for code in (*range(1, 9), *range(10, 32), 127))

_PLAIN, _LENGTH, _DROPPED = 0, 1, 2
# Hop-by-hop fields are the connection's, and the connection is the front's. RFC 9110 §7.6.1
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    )
)
# Statuses whose response has no body. RFC 9110 §6.4.1
_BODYLESS = frozenset((204, 304))

# Name and status as the application writes them → what they mean. An application has few; one that makes them up must
# not make us grow.
_MAX_KNOWN = 1000
_names = {}
_statuses = {}


def make_head(status, headers):
    """Checks a status line and headers.

    :param status: such as "200 OK"
    :param headers: pairs of name and value
    :returns: (head in the form of frame HEAD, declared Content-Length or None, whether the response has no body)
    :raises TypeError, ValueError: saying what is wrong
    """
    code = _statuses.get(status)
    if code is None:
        code = _check_status(status)
    fields = [status]
    length = None
    for name, value in headers:
        meaning = _names.get(name)
        if meaning is None:
            meaning = _check_name(name)
        if meaning == _DROPPED:
            continue
        if meaning == _LENGTH:
            if code == 204 or length is not None:
                length = _same_length(length, value)
                continue
            length = _check_length(value)
        fields.append(name)
        fields.append(value)
    return _encode(fields), length if code not in _BODYLESS else None, code in _BODYLESS


def make_inform(status, headers):
    """:returns: head of a 1xx response in the form of frame INFORM; same checks as make_head"""
    fields = [status]
    for name, value in headers:
        if _check_name(name) == _PLAIN:
            fields += (name, value)
    return _encode(fields)


def _encode(fields):
    try:
        head = "\0".join(fields).encode("latin-1")
    except TypeError:
        wrong = next(field for field in fields if not isinstance(field, str))
        raise TypeError(f"header values must be str, not {type(wrong).__name__}: {wrong!r}") from None
    except UnicodeEncodeError as error:
        wrong = next(field for field in fields if any(ord(letter) > 255 for letter in field))
        raise ValueError(f"a header may hold Latin-1 only: {wrong!r}") from error
    if len(head.translate(None, _CONTROLS)) != len(head) or head.count(0) != len(fields) - 1:
        wrong = next(field for field in fields if any(_is_control(letter) for letter in field))
        raise ValueError(f"a header may not hold control characters: {wrong!r}")
    return head


def _is_control(letter):
    return (letter < " " and letter != "\t") or letter == "\x7f"


def _check_status(status):
    if not isinstance(status, str):
        raise TypeError(f"the status must be str, not {type(status).__name__}: {status!r}")
    digits = status[:3]
    if not (len(digits) == 3 and digits.isascii() and digits.isdigit() and status[3:4] in ("", " ")):
        raise ValueError(f'the status must be like "200 OK": {status!r}')
    code = int(digits)
    if not 200 <= code <= 999:
        raise ValueError(f"the status must be 200 or more, since a 1xx ends no response: {status!r}")
    if len(_statuses) < _MAX_KNOWN:
        _statuses[status] = code
    return code


def _check_name(name):
    if not isinstance(name, str):
        raise TypeError(f"header names must be str, not {type(name).__name__}: {name!r}")
    if not name or not _TOKEN.issuperset(name):
        raise ValueError(f"not a header name: {name!r}")
    lower = name.lower()
    meaning = _LENGTH if lower == "content-length" else _DROPPED if lower in _HOP_BY_HOP else _PLAIN
    if len(_names) < _MAX_KNOWN:
        _names[name] = meaning
    return meaning


def _check_length(value):
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19):
        raise ValueError(f"Content-Length must be a number of bytes: {value!r}")
    return int(value)


def _same_length(length, value):
    again = _check_length(value)
    if length is not None and length != again:
        raise ValueError(f"two different Content-Length: {length} and {again}")
    return again
