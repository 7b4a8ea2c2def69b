"""Every regular expression of the program takes time in proportion to the text, whatever the text.

Read from the expressions themselves, since the engine tells no steps. What makes one slow is a
repeat whose characters another may take as well: inside of it, behind it, or as the beginning of
another try to the right, when a search goes on.
"""

import ast
import importlib
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

ALL = frozenset(range(256))
SEARCHES = {"search", "sub", "subn", "findall", "finditer", "split"}
COMPOSED = {codes.SUBPATTERN, codes.BRANCH, codes.MAX_REPEAT, codes.MIN_REPEAT}
NAMES = {"label": "x", "name": "x", "table": "x"}
"""What stands in expressions that are made for a name."""

_URL = "is given a URL or an error that names one; a store's names have 1,024 bytes at most"
_GIVEN = "is given an exclusion that the user wrote"

EXCEPTIONS = {
    r"(?<![0-9])[0-9]{64,}": "what stands before lets only the first digit of a run begin",
    r"([0-9]+)([wdhm])": "is given an option of the command line alone, which another has checked",
    r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+": _URL,
    r"(?<=://)[^/@]*@": _URL,
    r"(?<=://)[^/@]*:[^/@]*@": _URL,
    r"(?s)\?[^?]*=.*": _URL,
    (
        r"(?P<any>\*+)|(?P<one>\?)|\[(?P<no>!?)(?P<set>(?:[a-z0-9](?:-[a-z0-9])?)+)\]"
        r"|(?P<text>.)"
    ): _GIVEN,
}


def characters(op: Any, value: Any, flags: int) -> frozenset[int]:
    """Return the characters that a node for one of them takes; all if it is not such a node."""
    if op is codes.LITERAL:
        return frozenset({value & 255})
    if op is codes.NOT_LITERAL:
        return ALL - {value}
    if op is codes.ANY:
        return ALL if flags & re.DOTALL else ALL - {10}
    if op is not codes.IN:
        return ALL
    found: set[int] = set()
    for kind, what in value:
        if kind is codes.RANGE:
            found |= set(range(what[0], min(what[1], 255) + 1))
        elif kind is codes.LITERAL:
            found.add(what & 255)
        elif kind is codes.CATEGORY:
            pattern = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(what).split("_")[-1]]
            found |= {code for code in ALL if re.match(pattern, chr(code), re.ASCII)}
    return ALL - found if value[0][0] is codes.NEGATE else frozenset(found)


def first(nodes: Any, flags: int) -> tuple[frozenset[int], bool]:
    """Return the characters that a sequence may begin with, and whether it may be empty."""
    found: frozenset[int] = frozenset()
    for op, value in nodes:
        inner, empty = first_of(op, value, flags)
        found |= inner
        if not empty:
            return found, False
    return found, True


def first_of(op: Any, value: Any, flags: int) -> tuple[frozenset[int], bool]:
    if op is codes.AT:
        return frozenset(), True
    if op in {codes.ASSERT, codes.ASSERT_NOT}:
        return frozenset(), True
    if op in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}:
        inner, empty = first(value[2], flags)
        return inner, empty or value[0] == 0
    if op is codes.SUBPATTERN:
        return first(value[3], flags)
    if op is codes.BRANCH:
        ways = [first(way, flags) for way in value[1]]
        return frozenset().union(*(way[0] for way in ways)), any(way[1] for way in ways)
    return characters(op, value, flags), False


def taken(nodes: Any, flags: int) -> frozenset[int]:
    """Return every character that a sequence may take anywhere."""
    found: frozenset[int] = frozenset()
    for op, value in nodes:
        if op in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
            found |= taken(value[2], flags)
        elif op is codes.SUBPATTERN:
            found |= taken(value[3], flags)
        elif op is codes.BRANCH:
            found |= frozenset().union(*(taken(way, flags) for way in value[1]))
        elif op not in {codes.AT, codes.ASSERT, codes.ASSERT_NOT}:
            found |= characters(op, value, flags)
    return found


def flat(nodes: Any) -> list[tuple[Any, Any]]:
    """Return a sequence with its groups opened."""
    found: list[tuple[Any, Any]] = []
    for op, value in nodes:
        found += flat(value[3]) if op is codes.SUBPATTERN else [(op, value)]
    return found


def unbounded(op: Any, value: Any) -> bool:
    return op in {codes.MAX_REPEAT, codes.MIN_REPEAT} and value[1] is codes.MAXREPEAT


def faults(nodes: Any, flags: int, begins: frozenset[int], *, whole: bool) -> Iterator[str]:
    """Yield what may make a sequence slow.

    Args:
        nodes: The sequence, as `re` parses it.
        flags: Of the expression.
        begins: What another try may begin with, empty if there is none.
        whole: Whether the text must end with it, so that even its last repeat may fail.
    """
    listed = flat(nodes)
    for place, (op, value) in enumerate(listed):
        rest = listed[place + 1 :]
        if op is codes.BRANCH:
            for way in value[1]:
                yield from faults([*way, *rest], flags, begins, whole=whole)
            return
        if not unbounded(op, value):
            if op in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
                yield from faults(value[2], flags, begins, whole=True)
            continue
        inner = taken(value[2], flags)
        if len(value[2]) > 1 or value[2][0][0] in COMPOSED:
            yield from faults_inside(value[2], flags)
        may_fail = whole or not first(rest, flags)[1] or value[0] > 1
        if may_fail and inner & begins:
            yield "a search begins again inside of a repeat"
        if borders(inner, rest, flags, whole=whole):
            yield "a repeat borders on one that takes the same"


def borders(inner: frozenset[int], rest: Any, flags: int, *, whole: bool) -> bool:
    """Return whether another repeat can take over from one, and then fail."""
    for index, (op, value) in enumerate(rest):
        following, empty = first_of(op, value, flags)
        fails = whole or not first(rest[index + 1 :], flags)[1]
        if unbounded(op, value) and following & inner and fails:
            return True
        if not empty and not following & inner:
            return False
    return False


def faults_inside(nodes: Any, flags: int) -> Iterator[str]:
    """Yield what may make a repeated sequence slow: a repeat in it that takes how it begins."""
    begins, empty = first(nodes, flags)
    if empty:
        yield "a repeat of what may be empty"
    for op, value in flat(nodes):
        ways = value[1] if op is codes.BRANCH else [[(op, value)]]
        repeats = [each for way in ways for each in flat(way) if unbounded(*each)]
        if any(taken(each[2], flags) & begins for _, each in repeats):
            yield "a repeat in a repeat takes what may begin the next round"


def slow(pattern: str | bytes, flags: int, *, searched: bool) -> list[str]:
    tree = parser.parse(pattern, flags)
    anchored = tree[0][0] is codes.AT and not flags & re.MULTILINE
    begins = first(tree, flags)[0] if searched and not anchored else frozenset()
    if searched and tree[0][0] is codes.AT and flags & re.MULTILINE:
        begins = frozenset({10})
    return list(faults(tree, flags, begins, whole=not searched))


def expressions() -> dict[str, tuple[str | bytes, int, bool]]:
    """Return every expression in the package by its place, with flags and whether it searches."""
    found = {}
    for path in sorted((ROOT / "smbrare").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
                call = ast.unparse(node.func).removeprefix("re.")
                if call == "escape":
                    continue
                given = [node.args[0], *(node.args[1:] if call == "compile" else [])]
                pattern, *flags = [
                    eval(ast.unparse(argument), vars(module) | NAMES)  # noqa: S307 - our own source
                    for argument in given
                ]
                searched = call in SEARCHES or _is_searched(text, node)
                flag = int(flags[0]) if flags else 0
                found[f"{'.'.join(parts)}:{node.lineno}"] = (pattern, flag, searched)
    return found


def _is_searched(text: str, call: ast.Call) -> bool:
    """Return whether a module searches with the name that an expression is given."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == ast.unparse(call):
            name = ast.unparse(node.targets[0])
            return re.search(rf"\b{name}\.(?:{'|'.join(SEARCHES)})\(", text) is not None
    return False


EXPRESSIONS = expressions()


def test_the_expressions_are_found() -> None:
    assert len(EXPRESSIONS) > 40
    assert "smbrare.records.fields" in {place.partition(":")[0] for place in EXPRESSIONS}


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_an_expression_is_linear(place: str) -> None:
    pattern, flags, searched = EXPRESSIONS[place]
    found = slow(pattern, flags, searched=searched)
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    if text in EXCEPTIONS:
        assert found
    else:
        assert found == []


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        ("(a+)+b", False),
        ("(?:a|b+)*c", False),
        ("[0-9]+[.]?[0-9]*", False),
        ("<a.*</a>", True),
        ("a*b", True),
        ("(?:a*)*b", False),
        ("x.*y.*z", False),
    ],
)
def test_the_check_knows_slow_expressions(pattern: str, searched: bool) -> None:  # noqa: FBT001
    assert slow(pattern, 0, searched=searched)


def test_no_module_compiles_expressions_of_another_engine() -> None:
    for path in Path(ROOT / "smbrare").rglob("*.py"):
        assert not re.search(r"^\s*(?:import|from) (?:regex|sre)", path.read_text(), re.MULTILINE)
