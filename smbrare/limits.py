"""What smbrare refuses to hold in memory, so that a hostile file cannot exhaust it."""

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import fields, replace

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_UNITS = {"": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}
_VALUE = re.compile(r"([0-9]{1,15}) ?(KiB|MiB|GiB|)")
_BYTES = "_bytes"


class Limits(Struct, frozen=True):
    """Bounds on one input; what exceeds them is skipped and counted.

    Attributes:
        record_bytes: Length of a line or record, in bytes.
        nesting: Objects, arrays or XML elements inside one another in one record.
        number_digits: Length of a number that is written as text, in characters.
        csv_field: Length of one CSV field, in characters.
        xml_elements: Elements in one XML event.
        xml_attributes: Attributes of one XML element.
        layers: Compressions and archives inside one another; a ``.tar.gz`` is two.
        archive_members: Members of all archives of an input, files and folders alike.
        archive_directory_bytes: Length of a zip's list of members, which is read at once.
        decompressed_bytes: Bytes that all layers and members of one input may give together.
        expansion: Bytes that one byte of the input may become on average, over all layers and
            members: the bound on a decompression bomb.
        expansion_free_bytes: Bytes that are given before ``expansion`` is asked: a short file of
            equal lines is no bomb.
        spool_bytes: Length of the temporary copy of an EVTX file or a zip that cannot be read
            from where it stands, because it came through a pipe or out of another layer.
    """

    record_bytes: int = 64 * MIB
    nesting: int = 200
    number_digits: int = 1_000
    csv_field: int = 1 * MIB
    xml_elements: int = 100_000
    xml_attributes: int = 256
    layers: int = 4
    archive_members: int = 100_000
    archive_directory_bytes: int = 32 * MIB
    decompressed_bytes: int = 1024 * GIB
    expansion: int = 500
    expansion_free_bytes: int = 256 * MIB
    spool_bytes: int = 16 * GIB


DEFAULT = Limits()

NAMES = tuple(field.name.replace("_", "-") for field in fields(Limits))
"""The limits by the names that users give, in the order of the documentation."""

LEAST = {"record_bytes": KIB, "number_digits": 64, "spool_bytes": 0, "expansion_free_bytes": 0}
"""The least value that a limit may be given; 1 for the others."""

MOST = {
    "record_bytes": GIB,
    "nesting": 250,
    "number_digits": 2_000,
    "csv_field": GIB,
    "layers": 50,
}
"""The most, where more would not bound anything: a record is held several times over, and what
writes values out again stops at a nesting of 254, and Python at a number of 4,300 digits. For the
others it is a number of 15 digits."""


def parse(name: str, value: str) -> int:
    """Return the value of a limit.

    Args:
        name: Its name, as in `NAMES`.
        value: A whole number; of bytes also with ``KiB``, ``MiB`` or ``GiB``.

    Raises:
        ValueError: If there is no such limit, or it cannot have that value; says why.
    """
    if name not in NAMES:
        raise ValueError(f"{name!r} is no limit; known are {', '.join(NAMES)}")
    attribute = name.replace("-", "_")
    match = _VALUE.fullmatch(value)
    if match is None or (match[2] and not attribute.endswith(_BYTES)):
        units = ", or of KiB, MiB or GiB" if attribute.endswith(_BYTES) else ""
        raise ValueError(f"{name} takes a whole number{units}, not {value!r}")
    number = int(match[1]) * _UNITS[match[2]]
    least, most = LEAST.get(attribute, 1), MOST.get(attribute)
    if number < least or (most is not None and number > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} has to be {bounds}, not {number}")
    return number


def changed(values: Mapping[str, int]) -> Limits:
    """Return the default limits with others in their place, by the names of `NAMES`."""
    return replace(DEFAULT, **{name.replace("-", "_"): value for name, value in values.items()})


def size_text(number: int) -> str:
    """Return a number of bytes as a limit is written: ``64 MiB``, or ``1500 bytes``."""
    for unit in ("GiB", "MiB", "KiB"):
        if number and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]} {unit}"
    return f"{number} bytes"


TOO_DEEP = "nested too deeply (limit nesting)"
"""Why a record is skipped that nests too deeply."""


def too_many_digits(most: int) -> str:
    """Return why a record is skipped whose number is longer than so many characters."""
    return f"a number of more than {most:,} digits (limit number-digits)"


def longer_than(limits: Limits) -> str:
    """Return why a line or record that is too long is skipped."""
    return f"longer than {size_text(limits.record_bytes)} (limit record-bytes)"
