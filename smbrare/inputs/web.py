"""Web servers through fsspec: requests that stay with their origin, and index pages below a prefix.

What a server answers decides neither who is asked nor for what: a redirect leads to no other
scheme, host or port, and a link to nothing that does not lie below the prefix that the user gave.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial as bind
from html import unescape
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from smbrare.limits import MIB

MOST_INDEX_BYTES = 64 * MIB
"""Bytes of an index page that are read."""

_DEEPEST = 100
"""How many folders inside one another are entered: a link to its own folder makes endless ones."""

_SECONDS_OF_SILENCE = 60
_DECODINGS = 4
"""How often a path is decoded, to see where it leads: servers behind servers may do so again."""


class Link(Struct, frozen=True):
    """Where a link of an index page leads.

    Attributes:
        url: Where.
        matched: Whether it is what a pattern matches, and not only below that.
        error: Why a page that is linked to could not be read; None for an object.
    """

    url: str
    matched: bool = False
    error: Exception | None = None


def web_files(scheme: str) -> Any:
    """Return fsspec's file system of a scheme of the web."""
    fsspec = import_module("fsspec")
    kind = fsspec.get_filesystem_class(scheme)
    wanted = fsspec.config.apply_config(kind, {}).get("allow_redirects", False)
    get_client = bind(_session, to_others=str(wanted).lower() == "true")
    return fsspec.filesystem(scheme, get_client=get_client, allow_redirects=True)


async def _session(*, to_others: bool, **options: Any) -> Any:
    """Return a session of which a redirect may lead to other origins or not."""
    aiohttp = import_module("aiohttp")
    # An object may take longer than aiohttp's five minutes, but not a piece of it.
    quiet = aiohttp.ClientTimeout(
        total=None, sock_connect=_SECONDS_OF_SILENCE, sock_read=_SECONDS_OF_SILENCE
    )
    trace = aiohttp.TraceConfig()
    if not to_others:
        trace.on_request_redirect.append(_keep_origin)
    return aiohttp.ClientSession(**{"timeout": quiet, **options, "trace_configs": [trace]})


async def _keep_origin(_session: Any, _context: Any, asked: Any) -> None:
    """Refuse a redirect to another origin, before it is followed.

    Raises:
        OSError: If it is one.
    """
    given = asked.response.headers.get("Location") or asked.response.headers.get("URI") or ""
    try:
        target = asked.url.join(_url(given)).origin()
    except ValueError:
        target = "what is no URL"
    if target != asked.url.origin():
        asked.response.close()
        raise OSError(
            f"redirected to another origin, {target}; if it is to be trusted, give its URL, "
            "or set FSSPEC_HTTP_ALLOW_REDIRECTS=true"
        )


def below(system: Any, prefix: str) -> Iterator[Link]:
    """Yield the objects that an index page and those below it link to.

    Args:
        system: What `web_files` returned.
        prefix: Where to begin: a URL that ends with ``/``, or a pattern of such objects.

    Yields:
        Each object once, and each page that could not be read.
    """
    end = min((place for sign in "*[" if (place := prefix.find(sign)) >= 0), default=len(prefix))
    end = prefix.rindex("/", 0, end) + 1
    root = _url(prefix[:end])
    pattern = unquote(prefix[end:].rstrip("/")).split("/")
    pending = [(root, pattern == [""])]
    known = {root}
    while pending:
        page, is_wanted = pending.pop()
        names = _names(page, root)
        try:
            if len(names) > _DEEPEST:
                raise OSError(f"more than {_DEEPEST} folders inside one another")  # noqa: TRY301
            links = import_module("fsspec.asyn").sync(system.loop, _links, system, page, root)
        except Exception as error:  # noqa: BLE001 - whatever the library raises
            yield Link(str(page), error=error)
            continue
        for link in sorted(links - known):
            known.add(link)
            wanted = is_wanted or _matches(_names(link, root), pattern)
            if not link.raw_path.endswith("/"):
                if wanted:
                    yield Link(str(link), matched=not is_wanted)
            elif wanted or "**" in pattern or len(names) + 1 < len(pattern):
                pending.append((link, wanted))


async def _links(system: Any, page: Any, root: Any) -> set[Any]:
    """Return the links of an index page that lie below the root, without those that sort it.

    Raises:
        OSError: If the page lies elsewhere, or is too long.
    """
    session = await system.set_session()
    async with session.get(page, **system.kwargs) as answer:
        answer.raise_for_status()
        if not _is_below(answer.url, root):
            raise OSError("the index page redirects to a place that is not below the URL")
        if answer.headers.get("Content-Type", "text/html").partition(";")[0] != "text/html":
            return set()
        body = bytearray()
        async for piece in answer.content.iter_chunked(MIB):
            body += piece
            if len(body) > MOST_INDEX_BYTES:
                raise OSError(f"an index page of more than {MOST_INDEX_BYTES} bytes")
    found = set()
    for href in _hrefs(body.decode("utf-8", "replace")):
        with suppress(ValueError):
            target = answer.url.join(_url(href))
            if not target.query_string and _is_below(target, root):
                # With the user that was given, and no other.
                found.add(root.with_path(target.raw_path, encoded=True))
    return found


def _hrefs(page: str) -> Iterator[str]:
    for tag in page.split("<"):
        if tag[:1] in {"a", "A"} and tag[1:2].isspace():
            value = "".join(re.split(r"(?i)(?<=\s)href\s*=\s*", tag, maxsplit=1)[1:])
            quote = value[:1] if value[:1] in {'"', "'"} else ""
            inside = value[1:].partition(quote) if quote else value.replace(">", " ").split()
            yield unescape(inside[0] if inside else "").strip().translate({9: "", 10: "", 13: ""})


def _is_below(url: Any, root: Any) -> bool:
    """Return whether a URL lies below another, however its path is decoded."""
    if url.origin() != root.origin() or not url.raw_path.startswith(root.raw_path):
        return False
    rest = url.raw_path[len(root.raw_path) :]
    for _ in range(_DECODINGS):
        rest = unquote(rest)
    parts = rest.replace("\\", "/").split("/")
    return not any(part.partition(";")[0].strip() == ".." for part in parts)


def _names(url: Any, root: Any) -> list[str]:
    """Return the names of folders and object in a path below the root."""
    rest: str = url.raw_path[len(root.raw_path) :].strip("/")
    return unquote(rest).split("/") if rest else []


def _matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return _matches(names, pattern[1:]) or (bool(names) and _matches(names[1:], pattern))
    return bool(names) and fnmatchcase(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


def _url(text: str) -> Any:
    return import_module("yarl").URL(text)
