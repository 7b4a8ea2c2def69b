"""A source's table compiled: each of its fields read with one look-up a step.

`field_rules.find` walks a record through every spelling of every rule. But nearly every record has
one plain spelling with one text or number in it, and logs repeat the same few values. So the rules
of a field become a chain of functions, one a rule: each gets its raw value (`paths.getter`) and
looks up what the rule makes of that in a table of its own, filled by the same functions that `find`
calls. Without a value it asks the next of the chain. What is not simple (a mix of dotted keys and
objects, arrays, a value that leaves something to the rules behind) is left to `find`, which stays
the definition.

What is remembered is bounded in entries, by rule and in all, and in the length of a text, so that
no log can fill memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar, cast
from weakref import WeakValueDictionary

from msgspec import Struct

from smbrare.records.event import Document, Reading
from smbrare.records.fields import DATES, Malformed
from smbrare.records.paths import MISSING_MARKS, getter
from smbrare.records.read_options import ReadOptions
from smbrare.sources.field_rules import (
    MISSING,
    FieldRule,
    FieldTable,
    constants,
    find,
    read_raw,
    read_time,
    settles,
)

MOST_VALUES = 8_192
"""How many raw values of one rule are remembered."""
MOST_IN_ALL = 65_536
"""How many of all rules."""
LONGEST_VALUE = 64
"""The longest text among them, in characters."""
_MOST_TABLES = 256
_MOST_ELEMENTS = 8

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
FieldReader: TypeAlias = Callable[[Document], T]

_BEHIND: Final = object()
"""A raw value is none: the next rule is asked."""
_WALK: Final = object()
"""What a raw value means depends on the rules behind."""


class FieldNotes(Struct, Generic[T], frozen=True, eq=False):
    """What is wanted of some fields of every event.

    Attributes:
        fields: The ECS fields.
        note: What is worked out of a field and its reading, once for each raw value.
    """

    fields: tuple[str, ...]
    note: Callable[[str, Reading], T]


class CompiledTable:
    """A table under some options.

    Attributes:
        table: The rules of each field.
        options: How to read.
    """

    def __init__(self, table: FieldTable, options: ReadOptions) -> None:
        """Take a table; nothing is compiled yet."""
        self.table, self.options = table, options
        self._readers: dict[str, FieldReader[Reading]] = {}
        self._noted: dict[FieldNotes[Any], tuple[FieldReader[Any], ...]] = {}

    def __getitem__(self, field: str) -> FieldReader[Reading]:
        """Return what reads a field."""
        reader = self._readers.get(field)
        if reader is None:
            reader = self._readers[field] = self._compiled(field, _as_it_is)
        return reader

    def noting(self, notes: FieldNotes[T]) -> tuple[FieldReader[T], ...]:
        """Return what reads some fields and gives what is noted of each, in their order."""
        readers = self._noted.get(notes)
        if readers is None:
            readers = tuple(self._compiled(name, notes.note) for name in notes.fields)
            self._noted[notes] = readers
        return readers

    def _compiled(self, field: str, note: Callable[[str, Reading], T]) -> FieldReader[T]:
        rules = self.table.get(field, ())
        return _Chain(field, rules, self.options, partial(note, field)).compiled()


def _as_it_is(_field: str, reading: Reading) -> Reading:
    return reading


class Remembered(dict[K, V]):
    """What was worked out of the latest keys, and is forgotten when there are too many."""

    def __init__(self, most: int) -> None:
        """Make room for a number of keys."""
        super().__init__()
        self._most = most

    def keep(self, key: K, value: V) -> None:
        """Remember what was worked out of a key."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value


class Meanings(Remembered[Any, Any]):
    """What a rule makes of raw values, each worked out when it is first met.

    An array of texts is a tuple here.
    """

    everywhere: ClassVar[WeakValueDictionary[int, "Meanings"]] = WeakValueDictionary()
    kept: ClassVar[int] = 0

    def __init__(self, meaning: Callable[[list[Any]], Any]) -> None:
        """Work out meanings by a function of the raw values."""
        super().__init__(MOST_VALUES)
        self._meaning = meaning
        self.everywhere[id(self)] = self

    def __missing__(self, raw: Any) -> Any:
        elements = list(raw) if type(raw) is tuple else [raw]
        meaning = self._meaning(elements)
        if sum(len(text) for text in elements if type(text) is str) <= LONGEST_VALUE:
            if Meanings.kept >= MOST_IN_ALL:
                for each in list(self.everywhere.values()):
                    each.clear()
                Meanings.kept = 0
            Meanings.kept += 1
            self.keep(raw, meaning)
        return meaning


_COMPILED: Remembered[tuple[int, int], CompiledTable] = Remembered(_MOST_TABLES)


def compiled_table(table: FieldTable, options: ReadOptions) -> CompiledTable:
    """Return a table compiled under some options, which is done once for both."""
    compiled = _COMPILED.get((id(table), id(options)))
    if compiled is None:
        compiled = CompiledTable(table, options)
        # It holds both, so that no other object gets the same id.
        _COMPILED.keep((id(table), id(options)), compiled)
    return compiled


class _Chain(Generic[T]):
    """The rules of one field, on their way to a reader."""

    def __init__(
        self,
        field: str,
        rules: tuple[FieldRule, ...],
        options: ReadOptions,
        note: Callable[[Reading], T],
    ) -> None:
        self._field, self._rules, self._options, self._note = field, rules, options, note

    def compiled(self) -> FieldReader[T]:
        missing = self._note(MISSING)

        def behind(_document: Document) -> T:
            return missing

        chain: FieldReader[T] = behind
        for rule in reversed(self._rules):
            if not (rule.inferred and self._options.literal):
                chain = self._before(rule, chain)
        return chain

    def _walk(self, document: Document) -> T:
        return self._note(find(self._field, self._rules, document, self._options))

    def _meaning(self, rule: FieldRule, raw: list[Any]) -> Any:
        reading = read_raw(self._field, rule, raw, self._options)
        if reading is MISSING:
            return _BEHIND
        return self._note(reading) if settles(self._field, rule, reading) else _WALK

    def _before(self, rule: FieldRule, behind: FieldReader[T]) -> FieldReader[T]:
        """Return the reader of a rule, which asks the one of the rules behind it."""
        read = self._at_path(rule, behind) if rule.path else self._constant(rule, behind)
        when = rule.when
        if when is None:
            return read

        def read_when(document: Document) -> T:
            return read(document) if when(document) else behind(document)

        return read_when

    def _constant(self, rule: FieldRule, behind: FieldReader[T]) -> FieldReader[T]:
        raw = constants(rule)
        meaning = self._meaning(rule, raw) if raw else _BEHIND
        if meaning is _BEHIND:
            return behind
        if meaning is _WALK:
            return self._walk

        def read(_document: Document) -> T:
            return cast("T", meaning)

        return read

    def _at_path(self, rule: FieldRule, behind: FieldReader[T]) -> FieldReader[T]:
        if self._field in DATES:
            return self._at_time(rule, behind)
        get, walk = getter(rule.path), self._walk
        meanings = Meanings(lambda raw: self._meaning(rule, raw))

        def read(document: Document) -> T:
            raw = get(document)
            kind = type(raw)
            if kind is list and len(raw) == 1:
                raw = raw[0]
                kind = type(raw)
            if kind is str or kind is int:
                meaning = meanings[raw]
            elif raw is None:
                return behind(document)
            elif kind is list and _are_few_texts(raw):
                meaning = meanings[tuple(raw)]
            else:
                return walk(document)
            if meaning is _BEHIND:
                return behind(document)
            return walk(document) if meaning is _WALK else meaning

        return read

    def _at_time(self, rule: FieldRule, behind: FieldReader[T]) -> FieldReader[T]:
        """Return the reader of a time: times hardly repeat, so none is remembered."""
        get, walk, note, options = getter(rule.path), self._walk, self._note, self._options

        def read(document: Document) -> T:
            raw = get(document)
            if raw is None:
                return behind(document)
            try:
                if raw not in MISSING_MARKS and (type(raw) is str or type(raw) is int):
                    return note(read_time(rule, raw, options))
            except Malformed:
                pass
            return walk(document)

        return read


def _are_few_texts(array: list[Any]) -> bool:
    return len(array) <= _MOST_ELEMENTS and all(type(element) is str for element in array)
