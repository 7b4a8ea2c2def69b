"""docs/schema.md names every key of the schemas that it shows.

``python -m tests.project.test_schema_page`` writes its tables anew.
"""

import re
from collections.abc import Iterator

from tests.conftest import ROOT
from tests.support.schemas import Part, described

PAGE = ROOT / "docs" / "schema.md"
_BLOCK = re.compile(r"(<!-- keys: (\w+)(?: - (\w+))? -->\n).*?(<!-- /keys -->)", re.DOTALL)


def types(part: Part) -> Iterator[str]:
    """Yield the types that a value may have, or the values."""
    if "enum" in part or isinstance(part.get("const"), str):
        values = part.get("enum", [part.get("const")])
        yield from ("null" if value is None else f"`{value}`" for value in values)
    elif "const" in part:
        yield "boolean"
    elif "type" in part:
        for kind in part["type"] if isinstance(part["type"], list) else [part["type"]]:
            is_time = kind == "string" and part.get("format") == "date-time"
            yield "time" if is_time else kind
    elif "anyOf" in part:
        yield from ("object", "null")
    else:
        yield "object" if "allOf" in part else "any"


def table(name: str, without: str) -> str:
    """Return the table of a schema's keys, without those of another that it contains."""
    known = described(without) if without else {}
    left = [
        f"| `{key}` | {' or '.join(types(part))} | {part['description']} |"
        for key, part in described(name).items()
        if key.removeprefix("findings[].") not in known
        # Of an object with known keys, those say it all.
        if [*types(part)] != ["object"] or part.get("additionalProperties")
    ]
    return "\n".join(["| key | type | meaning |", "|---|---|---|", *left, ""])


def page() -> str:
    """Return the page with its tables as the schemas are now."""
    return _BLOCK.sub(
        lambda match: f"{match[1]}\n{table(match[2], match[3])}\n{match[4]}",
        PAGE.read_text(encoding="utf-8"),
    )


def test_the_page_shows_the_keys_of_the_schemas() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page()
    for key in ("smbrare.window.from", "scan.inputs[].sources.*.connections", "events[].rarity[]."):
        assert f"`{key}" in text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
