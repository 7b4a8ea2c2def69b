"""How inputs are read: one struct, made from a command's options and passed on as it is."""

from datetime import UTC, tzinfo
from typing import Literal

from msgspec import Struct

from smbrare.limits import DEFAULT, Limits


class Grain(Struct, frozen=True):
    """How finely the events of matches are kept: the first of each grain, whatever is found later.

    Attributes:
        hours: How many UTC hours a grain spans, counted since 1970; None for all time.
        by: What is apart, beside the destination: the host, or the whole contact (source address
            and host). ``nothing`` where no event is wanted.
        edges: UTC hours at which one grain ends and another begins besides.
    """

    hours: int | None = 1
    by: Literal["nothing", "destination", "host", "contact"] = "contact"
    edges: tuple[int, ...] = ()


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
        grain: Of which matches the events are kept; by default of all that any question asks for.
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
    grain: Grain = Grain()

    @property
    def decodes_all(self) -> bool:
        """Whether no input is sampled: DNS events hold no port of the rule's to know them by."""
        return self.thorough or bool(self.names)
