"""One line of NDJSON: a record, or why it is none. A bad line costs no other line."""

import codecs

from smbrare.limits import DEFAULT, TOO_DEEP, Limits, longer_than
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.json_text import BadJson, decode, nests_deeper
from smbrare.rule.port_sieve import may_match


def is_blank(line: bytes) -> bool:
    """Return whether a line holds nothing but white space, a byte order mark before it aside."""
    return not line.removeprefix(codecs.BOM_UTF8).strip()


def record(line: bytes, origin: Origin, limits: Limits = DEFAULT) -> Record | Skipped:
    """Return what a line that is not blank holds.

    Args:
        line: The line with its end, which only the last of an input may lack: a line without one
            that is no JSON was cut off. A byte order mark at its beginning, as files that were
            joined have in their midst, is passed over.
        origin: Where the line stands.
        limits: How deep it may nest.
    """
    try:
        document = decode(_blanked(line))
    except BadJson as error:
        if not line.endswith(b"\n"):
            return Skipped(origin, f"cut off: {error}", could_matter=True, ends_input=True)
        return Skipped(origin, str(error), could_matter=may_match(line) or _is_torn(line))
    if not isinstance(document, dict):
        return Skipped(origin, f"no object: {type(document).__name__}", may_match(line))
    if nests_deeper(line, document, limits.nesting):
        return Skipped(origin, TOO_DEEP, could_matter=may_match(line))
    return Record(origin, document)


def _blanked(line: bytes) -> bytes:
    """Return a line with blanks for a byte order mark, as `streams.as_utf_8` has them."""
    mark = codecs.BOM_UTF8
    return line.replace(mark, b" " * len(mark), 1) if line.startswith(mark) else line


def _is_torn(line: bytes) -> bool:
    """Return whether a line is a piece of an object whose rest may have held the port."""
    text = line.removeprefix(codecs.BOM_UTF8).strip()
    return text.startswith(b"{") != text.endswith(b"}")


def too_long(origin: Origin, limits: Limits) -> Skipped:
    """Return what stands for a line that is longer than the limits allow."""
    return Skipped(origin, longer_than(limits), could_matter=True)
