"""Paths into a document, followed as Elasticsearch's mapping follows the names of fields."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from smbrare.records.event import Document

MISSING_MARKS = ("", "-")
"""What exporters write for a value that is not there (Sysmon 10 and later write ``-``)."""

_PathSteps: TypeAlias = tuple[tuple[str, "_PathSteps"], ...]
"""Every key that may begin a path, with what may follow below it; empty at the path's end."""


def leaves(document: object, path: str) -> list[Any]:
    """Return every value at an ECS path.

    Dotted keys and nested objects in any mix name the same field, arrays and arrays of objects
    flatten, and null is no value, as in an Elasticsearch mapping. Values of an array keep their
    order; where a document spells a field in several ways, the more deeply nested comes first.

    Args:
        document: A decoded JSON value.
        path: A dotted field name, for example ``destination.ip``.
    """
    if not isinstance(document, dict):
        return _all_leaves(document, path) if isinstance(document, list) else []
    value = getter(path)(document)
    if value is MIXED:
        return _all_leaves(document, path)
    if value is None:
        return []
    return _elements(value) if isinstance(value, list) else [value]


def _all_leaves(document: object, path: str) -> list[Any]:
    found: list[Any] = []
    _flatten([document], _steps(path), found)
    return found


def _elements(array: list[Any]) -> list[Any]:
    found: list[Any] = []
    _flatten(array, (), found)
    return found


def _descend(node: dict[str, Any], steps: _PathSteps, found: list[Any]) -> None:
    for key, rest in steps:
        child = node.get(key)
        if child is None:
            continue
        if isinstance(child, list):
            _flatten(child, rest, found)
        elif not rest:
            found.append(child)
        elif isinstance(child, dict):
            _descend(child, rest, found)


def _flatten(elements: list[Any], steps: _PathSteps, found: list[Any]) -> None:
    # A stack of its own: arrays may nest deeper than Python calls may.
    pending = elements[::-1]
    while pending:
        element = pending.pop()
        if isinstance(element, list):
            pending.extend(reversed(element))
        elif not steps:
            if element is not None:
                found.append(element)
        elif isinstance(element, dict):
            _descend(element, steps, found)


@lru_cache(maxsize=4_096)
def _plain(path: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the keys of a path without dots, and what else may begin the path at each of them."""
    parts = path.split(".")
    return tuple(
        (part, tuple(".".join(parts[at:end]) for end in range(at + 2, len(parts) + 1)))
        for at, part in enumerate(parts)
    )


@lru_cache(maxsize=4_096)
def _steps(path: str) -> _PathSteps:
    parts = path.split(".")
    ends = range(1, len(parts) + 1)
    return tuple(
        (".".join(parts[:end]), _steps(".".join(parts[end:])) if parts[end:] else ())
        for end in ends
    )


MIXED: Final = object()
"""What a `getter` gives where a path is spelled in more than one way, or leads through arrays."""


@lru_cache(maxsize=4_096)
def getter(path: str) -> Callable[[Document], Any]:
    """Return a quick function that gives what stands at a path if it is spelled in a plain way.

    Plain are objects in one another, and one dotted key at the top. The function gives the value,
    None where there is none, and `MIXED` where only `leaves` can tell.
    """
    steps = path.split(".")
    if len(steps) == 1:
        return lambda document: document.get(path)
    if len(steps) == 2:  # noqa: PLR2004 - most paths
        return _getter_of_two(*steps)
    return _getter_of_three(*steps) if len(steps) == 3 else _getter_of_many(path)  # noqa: PLR2004


def _getter_of_two(outer: str, inner: str) -> Callable[[Document], Any]:
    path = f"{outer}.{inner}"

    def get(document: Document) -> Any:
        node = document.get(outer)
        if type(node) is dict:
            return node.get(inner) if path not in document else MIXED
        return document.get(path) if type(node) is not list else MIXED

    return get


def _getter_of_three(outer: str, middle: str, inner: str) -> Callable[[Document], Any]:
    begin, end, path = f"{outer}.{middle}", f"{middle}.{inner}", f"{outer}.{middle}.{inner}"

    def get(document: Document) -> Any:
        node = document.get(outer)
        if begin in document or type(node) is list:
            return MIXED
        if type(node) is not dict:
            return document.get(path)
        if path in document or end in node:
            return MIXED
        node = node.get(middle)
        if type(node) is dict:
            return node.get(inner)
        return MIXED if type(node) is list else None

    return get


def _getter_of_many(path: str) -> Callable[[Document], Any]:
    steps = _plain(path)
    (outer, (*begins, _)), *_ = steps

    def get(document: Document) -> Any:
        if path in document:
            plain = outer not in document and not any(begin in document for begin in begins)
            return document[path] if plain else MIXED
        node: Any = document
        for key, dotted in steps:
            if type(node) is not dict:
                return MIXED if type(node) is list else None
            for other in dotted:
                if other in node:
                    return MIXED
            node = node.get(key)
        return node

    return get


def first(document: Document, *paths: str) -> Any:
    """Return the first value at any of the paths that is not missing, else None."""
    for path in paths:
        for value in leaves(document, path):
            if not is_missing(value):
                return value
    return None


def at(document: Document, path: str) -> Any:
    """Return the value of a field as the document spells it, arrays and all; None without one."""
    steps = path.split(".")
    for end in range(len(steps), 0, -1):
        value = document.get(".".join(steps[:end]))
        if end < len(steps):
            value = at(value, ".".join(steps[end:])) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def is_missing(value: object) -> bool:
    """Return whether a value only marks a gap: null, empty text or a dash."""
    return value is None or value in MISSING_MARKS
