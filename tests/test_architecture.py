"""The rooms of the code: imports point downwards, and never in a ring."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "smbrare"

LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "event",
        "exitcodes",
        "limits",
        "notices",
        "sanitize",
        "jsontext",
        "sieve",
        "workers",
        "duplicate_keys",
    ),
    ("baseline_place", "checkpoints", "fields", "grid", "paths", "read_ahead", "tomltext"),
    ("extras",),
    ("cluster", "remote"),
    ("around", "networks", "schedule", "sightings", "envelope", "eventxml", "jsontokens"),
    ("dns",),
    ("early", "exclusions", "rule", "jsonshape"),
    ("finding", "survey"),
    ("enrichment",),
    (
        "compare",
        "geoip",
        "intel",
        "rarity",
        "report",
        "baseline_schema",
        "wording",
        "pivots",
        "rule_exclusions",
        "readers.",
        "sources.",
        "unpack.",
    ),
    (
        "around_wording",
        "arrays",
        "baseline_connection",
        "charts",
        "columns",
        "seen",
        "exclusion_file",
        "expect",
        "triage",
        "window",
        "withheld",
        "rule_export",
        "rule_text",
    ),
    ("activities.", "evidence", "evtx_lines", "explanation", "examine", "duplicate_fields"),
    ("reasoning", "inspection"),
    ("advice", "funnel", "preview"),
    ("containers", "inputs", "baseline", "outputs."),
    ("baseline_export", "merging", "reading", "tails", "watch_baseline", "watch_counts"),
    ("baseline_merge", "following", "planning"),
    ("gathering",),
    ("chunks", "retrace", "scan", "summary", "troubles"),
    ("watch_judgement",),
    ("explain", "inspect", "dry_run", "replay", "watch"),
    ("cli.",),
)
"""Modules (``name``) and rooms (``name.``), lowest first; a module imports from below only."""

ROOM_SHARED = {
    "readers.blocks",
    "readers.ndjson",
    "sources.mapping",
    "sources.event_data",
    "sources.windows_event",
    "sources.windows_shapes",
    "sources.ecs",
    "sources",
}
"""What the files of a room may know of each other: siblings are strangers otherwise."""

LAZY = {"readers.", "outputs.", "containers", "cli.", "geoip", "grid"}
"""Where a third-party import may stand inside a function, so that a run loads what it needs."""


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> set[str]:
    """Return the modules of the package that a file imports, by name below ``smbrare``."""
    known = modules()
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smbrare"):
            module = (node.module or "").removeprefix("smbrare").lstrip(".")
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                names.add(inner if inner in known else module)
        elif isinstance(node, ast.Import):
            names |= {
                alias.name.removeprefix("smbrare.")
                for alias in node.names
                if alias.name.startswith("smbrare.")
            }
    return names - {"", "__init__"}


def layer(module: str) -> int:
    for number, names in enumerate(LAYERS):
        if module in names or f"{module.split('.', maxsplit=1)[0]}." in names:
            return number
    raise AssertionError(f"{module} has no room: give it one in LAYERS")


def test_every_import_points_downwards() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules().items()
        if module not in {"__init__", "__main__"}
        for imported in imports(path)
        if layer(imported) >= layer(module)
        and not (imported.split(".")[0] == module.split(".")[0] and "." in f"{module}.")
    ]
    assert wrong == []


def test_files_of_a_room_do_not_know_each_other() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules().items()
        for imported in imports(path)
        if module.split(".")[0] in {"sources", "readers", "outputs"}
        and "." in module
        and imported.split(".")[0] == module.split(".")[0]
        and imported not in ROOM_SHARED
    ]
    assert wrong == []


def test_there_is_no_import_ring() -> None:
    graph = {module: imports(path) for module, path in modules().items()}
    list(TopologicalSorter(graph).static_order())
