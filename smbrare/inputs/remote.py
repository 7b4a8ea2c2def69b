"""Objects in object storage and on web servers, through fsspec: found, and opened as streams.

Nothing is asked of the network unless the user names a URL. Credentials are found by the libraries
in their own ways, and none is ever shown: not the user and the query of a web address, nor either
in the words of an error.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from smbrare.errors import need
from smbrare.inputs.read_ahead import ReadAhead
from smbrare.records.event import Origin, Skipped

EXTRAS: Mapping[str, tuple[str, str]] = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "abfs": ("adlfs", "azure"),
    "abfss": ("adlfs", "azure"),
    "az": ("adlfs", "azure"),
    "gs": ("gcsfs", "gcs"),
    "gcs": ("gcsfs", "gcs"),
    "http": ("aiohttp", "http"),
    "https": ("aiohttp", "http"),
}
"""By scheme: the module that reads it, and the extra of smbrare that installs that."""

_WEB = frozenset({"http", "https"})
# Not compiled before they are needed: most runs name no URL.
_URL_IN_TEXT = r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+"
_USER = r"(?<=://)[^/@]*@"
_LOGIN = r"(?<=://)[^/@]*:[^/@]*@"
_QUERY = r"(?s)\?[^?]*=.*"
_WEB_QUERY = r"(?s)[?#].*"

# The libraries of object stores try again by themselves; fsspec's for the web does not.
_WEB_TRIES = 3
_LONGEST_REASON = 200


class Object(Struct, frozen=True):
    """An object to read.

    Attributes:
        url: Where it is; it may hold a secret.
        shown: Its name as the user may see it.
        named: Whether the user gave it by name or pattern, and not the prefix that it lies under.
        size: Its size in bytes; None where the server does not tell.
    """

    url: str
    shown: str
    named: bool
    size: int | None

    def __repr__(self) -> str:
        """Return it without its URL."""
        return f"Object({self.shown!r})"


def is_remote(path: str) -> bool:
    """Return whether a path is the URL of an object, or of several."""
    return "://" in path and _scheme(path) in EXTRAS


def shown(url: str) -> str:
    """Return a URL without what may be a secret: user and password, and what follows a ``?``.

    Object stores have containers before an ``@`` and patterns with ``?``: there, only a user with
    a password and a query with a ``=`` are left out.
    """
    if _scheme(url) in _WEB:
        return re.sub(_WEB_QUERY, "?...", re.sub(_USER, "", url))
    return re.sub(_QUERY, "?...", re.sub(_LOGIN, "", url))


def discover(urls: Sequence[str]) -> Iterator[Object | Skipped]:
    """Yield the objects that URLs mean, each once, sorted by name for each URL, and what failed.

    A URL is an object's, or else a prefix: everything below it. With a ``/`` at its end it is a
    prefix in any case. A pattern (``*``, ``?``, ``[…]``, ``**``) is what it matches; in web
    addresses ``?`` begins a query, and a prefix or a pattern is what an index page links to.

    Raises:
        UsageError: If the libraries for a scheme are not installed.
    """
    for url in urls:
        module, extra = EXTRAS[_scheme(url)]
        need(shown(url), extra, "fsspec", module)
    found: dict[str, Object] = {}
    for url in urls:
        try:
            for each in _listed(url):
                if isinstance(each, Skipped):
                    yield each
                    continue
                known = found.get(each.url)
                named = each.named or (known is not None and known.named)
                found[each.url] = replace(each, named=named)
        except Exception as error:  # noqa: BLE001 - every library raises errors of its own
            yield _unreadable(url, error)
    yield from _told_apart(found.values())


def open_object(url: str) -> io.RawIOBase:
    """Open an object as an unbuffered stream.

    Raises:
        OSError: If it cannot be opened; the message holds no secret.
    """
    try:
        system, path = _located(url)
        file = system.open(path, "rb", cache_type="none")
        if file.details.get("type") == "directory":
            raise FileNotFoundError  # noqa: TRY301 - it has gone, but for objects below its name
        tries = 1
        if _scheme(url) in _WEB:
            # fsspec gives no size for what is empty or cannot be read in parts.
            if file.size is not None and not _gives_parts(file):
                file.close()
                file = system.open(path, "rb", block_size=0)
            tries = 1 if file.size is None else _WEB_TRIES
        return ReadAhead(file, getattr(file, "size", None), explained, tries)
    except Exception as error:
        raise OSError(explained(error)) from error


def explained(error: BaseException) -> str:
    """Return an error of a library in one line, without the secrets that a URL may hold."""
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__  # fsspec calls every failure of a web server a missing file
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return f"the server answered with HTTP status {status}"
    if isinstance(error, FileNotFoundError):
        return "no such object"
    text = (getattr(error, "strerror", None) or str(error)).strip() or type(error).__name__
    masked = re.sub(_URL_IN_TEXT, lambda match: shown(match[0]), text.splitlines()[0])
    return masked[:_LONGEST_REASON]


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _located(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Names of objects are no part of what fsspec parses: it would take ``::`` in one for a chain of
    other file systems.
    """
    fsspec = _library()
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _WEB:
        from smbrare.inputs.web import web_files  # noqa: PLC0415 - most runs name no URL

        return web_files(scheme.lower()), url
    place, _, name = rest.partition("/")
    system, root = fsspec.core.url_to_fs(f"{scheme.lower()}://{place}")
    return system, f"{root.strip('/')}/{name}" if name else root.strip("/")


@cache
def _library() -> Any:
    """Return fsspec, kept from writing on stderr by itself."""
    import logging  # noqa: PLC0415

    # What the libraries log may name URLs; what matters is raised as well.
    logging.getLogger().addHandler(logging.NullHandler())
    return import_module("fsspec")


def _listed(url: str) -> Iterator[Object | Skipped]:
    system, path = _located(url)
    is_empty = True
    for each in _linked(system, url) if _scheme(url) in _WEB else _stored(system, path, url):
        is_empty = False
        yield each
    if is_empty:
        raise FileNotFoundError


def _linked(system: Any, url: str) -> Iterator[Object | Skipped]:
    """Yield what an address of the web means."""
    from smbrare.inputs import web  # noqa: PLC0415 - most runs name no URL

    if not url.endswith("/") and not _is_pattern(url):
        yield Object(url, shown(url), named=True, size=system.info(url)["size"])
        return
    for link in sorted(web.below(system, url), key=lambda link: link.url):
        if link.error is not None:
            yield _unreadable(link.url, link.error)
            continue
        try:
            size = system.info(link.url)["size"]  # An index page tells no sizes.
            yield Object(link.url, shown(link.url), link.matched, size)
        except Exception as error:  # noqa: BLE001 - every library raises errors of its own
            yield _unreadable(link.url, error)


def _stored(system: Any, path: str, url: str) -> Iterator[Object]:
    """Yield what the URL of an object store means."""
    if _is_pattern(url) and not system.isfile(path):
        matched = system.glob(path, detail=True)
    elif url.endswith("/") or "/" not in path:
        matched = {path: {"type": "directory"}}
    else:
        matched = {path: system.info(path)}
    for name, info in sorted(matched.items()):
        if info["type"] != "directory":
            yield _object(url, name, info, named=True)
            continue
        for below, each in sorted(system.find(name.rstrip("/") + "/", detail=True).items()):
            # Nor what consoles store to show a prefix as a folder.
            if not below.endswith("/") and each["type"] != "directory":
                yield _object(url, below, each, named=False)


def _object(url: str, name: str, info: Mapping[str, Any], *, named: bool) -> Object:
    place = url.partition("://")[2].partition("/")[0]
    whole = f"{_scheme(url)}://{place}/{name.partition('/')[2]}"
    return Object(whole, re.sub(_LOGIN, "", whole), named, info["size"])


def _is_pattern(url: str) -> bool:
    rest = url.partition("://")[2].partition("/")[2]
    if _scheme(url) in _WEB:
        return "?" not in rest and not {"*", "["}.isdisjoint(rest)
    return not {"*", "?", "["}.isdisjoint(rest)


def _gives_parts(file: Any) -> bool:
    """Return whether a web server gives a part of an object: few say so, and some say wrong."""
    if file.size < 2:  # noqa: PLR2004 - there is no part but the whole
        return True
    try:
        file.seek(1)
        part = file.read(1)
    except ValueError:  # what fsspec raises of a whole object in answer to a part
        return False
    file.seek(0)
    return len(part) == 1


def _unreadable(url: str, error: Exception) -> Skipped:
    return Skipped(Origin(shown(url), 0), explained(error), could_matter=True, ends_input=True)


def _told_apart(objects: Iterable[Object]) -> Iterator[Object]:
    """Yield objects, a number behind the name of one that looks like another before it."""
    seen: Counter[str] = Counter()
    for each in objects:
        seen[each.shown] += 1
        number = seen[each.shown]
        yield each if number == 1 else replace(each, shown=f"{each.shown} ({number})")
