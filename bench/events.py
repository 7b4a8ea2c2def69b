"""The kinds of lines that the data for measurements holds, and their shares.

Every shape is a function of a network, a connection and a time; nothing in it is a real host,
person or trace. Public addresses are data: the rule excludes the documentation ranges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bench.defend import Event, defend_file, defend_network, defend_process
from bench.network import Connection, Network
from bench.sysmon import beat_mapped, beat_network, beat_process, dumped_network, dumped_process


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of line.

    Attributes:
        build: Writes an event.
        weight: Its share of all lines, in percent.
        unit: Microseconds between the times that it can express.
        network: Whether it holds the connection, so that it can match the rule.
    """

    build: Callable[[Network, Connection, datetime], Event]
    weight: int
    unit: int
    network: bool


SHAPES = (
    Shape(defend_network, 24, 1, network=True),
    Shape(defend_process, 12, 1, network=False),
    Shape(defend_file, 16, 1, network=False),
    Shape(beat_network, 10, 1000, network=True),
    Shape(beat_process, 10, 1000, network=False),
    Shape(beat_mapped, 14, 1000, network=True),
    Shape(dumped_network, 8, 1000, network=True),
    Shape(dumped_process, 6, 1000, network=False),
)
