"""JSON Schemas (2020-12) of all that smbrare writes as JSON, each complete in itself."""

import re
from importlib.resources import files
from typing import Any

import orjson

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FOLDER = files("smbrare.outputs") / "schemas"
_DEFINITIONS = "definitions"
_REFERENCE = re.compile(rb'"\$ref":"#/\$defs/(\w+)"')


def schema_names() -> list[str]:
    """Return the names of the schemas, sorted."""
    files_there = (each.name for each in _FOLDER.iterdir())
    return sorted({name.removesuffix(".json") for name in files_there} - {_DEFINITIONS})


def schema(name: str) -> dict[str, Any]:
    """Return a schema with the definitions that it refers to.

    Args:
        name: One of `schema_names`.
    """
    body, shared = _load(name), _load(_DEFINITIONS)
    used: dict[str, Any] = {}
    pending = _referred(body)
    while pending:
        each = pending.pop()
        if each not in used:
            used[each] = shared[each]
            pending += _referred(shared[each])
    return {"$schema": _DIALECT, **body, "$defs": dict(sorted(used.items()))}


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((_FOLDER / f"{name}.json").read_bytes())
    return content


def _referred(value: Any) -> list[str]:
    return [name.decode() for name in _REFERENCE.findall(orjson.dumps(value))]
