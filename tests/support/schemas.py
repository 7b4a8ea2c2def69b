"""The keys of the schemas, each with what its schema says of it."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from smbrare.outputs.schema import schema

Part: TypeAlias = dict[str, Any]


def described(name: str) -> dict[str, Part]:
    """Return each key of a schema, with what stands under the definition that it refers to.

    A key is spelled with all that it lies in: ``scan.inputs[].path``, or with ``.*`` for names
    that are not known beforehand.
    """
    whole = schema(name)
    definitions: dict[str, Part] = whole["$defs"]
    found: dict[str, Part] = {}
    pending = list(_below(whole, "", definitions))
    while pending:
        key, part = pending.pop(0)
        found[key] = _resolved(part, definitions)
        pending[:0] = _below(part, f"{key}.", definitions)
    return found


def _resolved(part: Part, definitions: dict[str, Part]) -> Part:
    """Return a part with what it refers to; what it says itself counts."""
    return {**definitions.get(part.get("$ref", "").rpartition("/")[2], {}), **part}


def _below(part: Part, path: str, definitions: dict[str, Part]) -> Iterator[tuple[str, Part]]:
    """Yield the keys of a part by their paths, those of its elements or values included."""
    if "$ref" in part:
        yield from _below(definitions[part["$ref"].rpartition("/")[2]], path, definitions)
    for key, value in part.get("properties", {}).items():
        yield f"{path}{key}", value
    for word in ("allOf", "anyOf", "oneOf"):
        for each in part.get(word, ()):
            if isinstance(each, dict):
                yield from _below(each, path, definitions)
    if isinstance(part.get("items"), dict):
        yield from _below(part["items"], f"{path.removesuffix('.')}[].", definitions)
    if isinstance(part.get("additionalProperties"), dict):
        yield from _below(part["additionalProperties"], f"{path}*.", definitions)
