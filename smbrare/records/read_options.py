"""How inputs are read: one struct, made from a command's options and passed on as it is."""

from datetime import UTC, tzinfo

from msgspec import Struct

from smbrare.limits import DEFAULT, Limits


class ReadOptions(Struct, frozen=True):
    """How to read.

    Attributes:
        zone: The zone of times that name none.
        literal: Whether inferred fields are left out.
        time_unit: Units in a second of times that are bare numbers; None to go by their size.
        time_field: ``@timestamp``, or ``event.ingested`` where present.
        limits: What is too large to read.
        thorough: Whether every record is decoded, however large the input.
        jobs: How many processes may read; None to decide by the size of the inputs.
        cluster: The address of a Dask scheduler whose workers are to read; None for this machine.
        names: Patterns of the names whose addresses DNS events are to tell.
        every_moment: Whether to keep every match's time, and not only the hours.
    """

    zone: tzinfo = UTC
    literal: bool = False
    time_unit: int | None = None
    time_field: str = "@timestamp"
    limits: Limits = DEFAULT
    thorough: bool = False
    jobs: int | None = None
    cluster: str | None = None
    names: frozenset[str] = frozenset()
    every_moment: bool = False

    @property
    def decodes_all(self) -> bool:
        """Whether no input is sampled: DNS events hold no port of the rule's to know them by."""
        return self.thorough or bool(self.names)
