"""The house: a few wings, imports from left to right, no ring.

``python -m tests.test_architecture`` writes the table of docs/architecture.md anew.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from graphlib import TopologicalSorter
from typing import NamedTuple

from tests.conftest import ROOT

PACKAGE = ROOT / "smbrare"
PAGE = ROOT / "docs" / "architecture.md"


class Wing(NamedTuple):
    """A folder at the top of the package.

    Attributes:
        holds: What a newcomer finds there.
        imports: The wings that its modules may import from, beside the ground.
    """

    holds: str
    imports: tuple[str, ...]


GROUND = ("errors", "limits", "text")
"""Modules beside the wings, which know each other at most."""

_READ = ("records", "rule")
_JUDGE = (*_READ, "sources", "detection")
_KEEP = (*_JUDGE, "baseline", "enrichment")
_COMPOSE = (*_KEEP, "inputs", "scanning")

WINGS: dict[str, Wing] = {
    "records": Wing("what flows: a record and its origin, typed values, times, text", ()),
    "rule": Wing("the predicate, its address ranges, the sieve for its ports", ("records",)),
    "sources": Wing("a vendor's record to ECS fields, a table each", ("records",)),
    "inputs": Wing("paths and URLs to bytes to records", _READ),
    "detection": Wing(
        "the judgement: matches, rarity, exclusions, findings, the exit code",
        (*_READ, "sources"),
    ),
    "baseline": Wing("what was seen, in SQLite and as text", _JUDGE),
    "enrichment": Wing("GeoIP, lists and names for destinations", _JUDGE),
    "scanning": Wing("joins inputs to detection: plan, read, merge, judge", (*_KEEP, "inputs")),
    "watch": Wing("files that grow", _COMPOSE),
    "diagnostics": Wing("explain, inspect, dry run, expectations", _COMPOSE),
    "outputs": Wing("a report as tables, pictures and machine formats", (*_COMPOSE, "diagnostics")),
    "cli": Wing(
        "options, configuration, the terminal", (*_COMPOSE, "diagnostics", "outputs", "watch")
    ),
}
"""The wings in the order of their imports: none knows a wing below it."""

SHARED = {
    "inputs.readers": {
        "blocks",
        "csv_dates",
        "csv_lines",
        "document",
        "ndjson",
        "reader",
    },
    "sources": {
        *("collector_shapes", "compiled", "ecs", "event_data", "event_kinds", "field_rules"),
        *("mapping", "opening", "windows_event", "windows_shapes"),
        "defender",  # Its columns are spelled in other ways, too.
    },
}
"""Folders of plugs, whose modules know nothing of each other but these."""

MOST_LINES = 320
"""Lines that a module may have."""


@cache
def trees() -> dict[str, ast.Module]:
    """Return every module of the package, parsed, by its name below ``smbrare``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, by name below ``smbrare``."""
    names: set[str] = set()
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smbrare"):
            package = (node.module or "").removeprefix("smbrare").lstrip(".")
            for alias in node.names:
                inner = f"{package}.{alias.name}".lstrip(".")
                names.add(inner if inner in trees() else package)
        elif isinstance(node, ast.Import):
            names |= {
                alias.name.removeprefix("smbrare.")
                for alias in node.names
                if alias.name.startswith("smbrare.")
            }
    return frozenset(names - {"", "__init__"})


def wing(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def table() -> str:
    """Return the wings as docs/architecture.md shows them."""
    rows = [
        f"| `{name}/` | {each.holds} | {', '.join(each.imports) or 'the ground'} |"
        for name, each in WINGS.items()
    ]
    return "\n".join(["| wing | holds | may import |", "|---|---|---|", *rows, ""])


def page() -> str:
    """Return docs/architecture.md with the table as it is now."""
    text = PAGE.read_text(encoding="utf-8")
    between = re.compile(r"(<!-- wings -->\n).*?(<!-- /wings -->)", re.DOTALL)
    return between.sub(lambda match: f"{match[1]}\n{table()}\n{match[2]}", text)


def test_the_top_of_the_package_is_the_wings_and_the_ground() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == {"__init__", "__main__", "py", *GROUND, *WINGS}


def test_imports_follow_the_order_of_the_wings() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in trees()
        if module not in {"__init__", "__main__"}
        for imported in imports(module)
        if wing(imported) != wing(module)
        and wing(imported) not in GROUND
        and wing(imported) not in (WINGS[wing(module)].imports if wing(module) in WINGS else ())
    ]
    assert wrong == []


def test_the_ground_rests_on_nothing() -> None:
    wrong = [name for name in GROUND for imported in imports(name) if imported not in GROUND]
    assert wrong == []


def test_plugs_of_one_kind_do_not_know_each_other() -> None:
    wrong = [
        f"{module} imports {imported}"
        for folder, shared in SHARED.items()
        for module in trees()
        if module.rpartition(".")[0] == folder
        for imported in imports(module)
        if imported.rpartition(".")[0] == folder and imported.rpartition(".")[2] not in shared
    ]
    assert wrong == []


def test_there_is_no_import_ring() -> None:
    graph = {module: imports(module) for module in trees()}
    list(TopologicalSorter(graph).static_order())


def test_no_two_types_share_a_name() -> None:
    modules = defaultdict(list)
    for module, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                modules[node.name.lstrip("_")].append(module)
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                modules[ast.unparse(node.target).lstrip("_")].append(module)
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_no_module_is_long() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    assert [str(path) for path, count in lines.items() if count > MOST_LINES] == []


def test_the_page_shows_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_names_files_that_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`((?:smbrare|tests|fuzz|fixtures|docs)/[\w/.]+)`", text)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []
    modules = re.findall(r"python -m ([\w.]+)", text)
    found = [ROOT.joinpath(*module.split(".")) for module in modules if module != "fuzz"]
    assert [p for p in found if not (p.with_suffix(".py").exists() or p.is_dir())] == []


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
