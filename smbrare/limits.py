"""What smbrare refuses to hold in memory, so that a hostile file cannot exhaust it."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one input; what exceeds them is skipped and counted.

    Attributes:
        record_bytes: Length of a line or record, in bytes.
    """

    record_bytes: int = 64 * MIB


DEFAULT = Limits()
