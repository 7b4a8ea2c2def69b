"""Keys that an object holds twice: told from the raw text, because a decoded object has them once.

Of a key given twice the last value counts, in every decoder that is used here (orjson, msgspec,
ijson as `readers.document` builds with it, and the standard library). Elasticsearch rejects such a
document (RFC 8259, section 4, leaves it open), so that a parser that takes the first value sees
another event: it is worth a note.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
import stringzilla

Path: TypeAlias = tuple[str, ...]
"""Keys from the top of a record down; arrays add nothing, since Elasticsearch flattens them."""

_DIGITS = (b"445", b"139", b"u003", b"&#")
"""What a port of the rule is written with: its digits, or an escape of one."""

MOST_KEPT = 20
"""How many paths of one record are told; more are no news."""


def repeated(
    text: bytes, document: Mapping[str, Any], *, ports_only: bool = True
) -> tuple[Path, ...]:
    """Return the paths of keys that a record holds twice, each once, in the order of the text.

    Args:
        text: The record's JSON, one object.
        document: What it was decoded to.
        ports_only: Whether only a record is looked at whose text can hold port 139 or 445: it
            costs the others next to nothing, and of a large input no others are decoded.
    """
    if ports_only and not _holds_digits(text):
        return ()
    return tuple(_search(text)) if _looks_so(text, document) else ()


def _holds_digits(text: bytes) -> bool:
    # No `any`: this is asked of every record.
    for digits in _DIGITS:  # noqa: SIM110
        if stringzilla.find(text, digits) >= 0:
            return True
    return False


def located(value: Any, twice: Sequence[tuple[dict[str, Any], str]]) -> tuple[Path, ...]:
    """Return the paths of keys that were met twice while a value was built.

    Args:
        value: What was built.
        twice: Each object and key. An object that is no part of the value any more, because what
            it lay in was given twice, tells nothing that this does not.
    """
    keys: dict[int, list[str]] = {}
    for node, key in twice:
        keys.setdefault(id(node), []).append(key)
    found: dict[Path, None] = {}
    pending: list[tuple[Path, Any]] = [((), value)]
    while pending and keys:
        path, node = pending.pop()
        if isinstance(node, dict):
            found |= dict.fromkeys((*path, key) for key in keys.pop(id(node), ()))
            pending.extend(((*path, key), child) for key, child in node.items())
        elif isinstance(node, list):
            pending.extend((path, child) for child in node)
    return tuple(found)[:MOST_KEPT]


def _looks_so(text: bytes, document: Mapping[str, Any]) -> bool:
    """Return whether a text holds more quotes than what was decoded from it.

    A key takes two of them, and a quote inside of a string is one in both texts, unless it is
    written as an escape of its number.
    """
    try:
        written = orjson.dumps(document)
    except TypeError:
        return True
    return text.count(b'"') != written.count(b'"') or stringzilla.find(text, b"u0022") >= 0


class _Pairs(list[tuple[str, Any]]):
    """An object as its keys and values, in the order of the text."""


def _search(text: bytes) -> list[Path]:
    try:
        top = json.loads(
            text.decode("utf-8", "replace"),
            object_pairs_hook=_Pairs,
            parse_int=float,
            parse_float=float,
        )
    except (ValueError, RecursionError):
        return []
    found: dict[Path, None] = {}
    pending: list[tuple[Path, Any]] = [((), top)]
    while pending and len(found) < MOST_KEPT:
        path, node = pending.pop()
        if not isinstance(node, _Pairs):
            pending.extend((path, one) for one in reversed(node) if isinstance(one, list))
            continue
        found |= dict.fromkeys(_twice(path, node))
        pending.extend(
            ((*path, key), value) for key, value in reversed(node) if isinstance(value, list)
        )
    return list(found)[:MOST_KEPT]


def _twice(path: Path, pairs: Sequence[tuple[str, Any]]) -> Iterator[Path]:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            yield (*path, key)
        seen.add(key)
