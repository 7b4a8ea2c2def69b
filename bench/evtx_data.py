"""Write a seeded EVTX file of Sysmon's network events: ``python -m bench.evtx_data OUT``.

The same number of events gives the same bytes. One in 5,000 matches the rule; ``--answers`` lists
their destinations.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

from bench.data import MATCHING_SHARE, START
from bench.network import Network
from bench.sysmon import sysmon_data
from tests.support.evtx_writer import evtx

_STEP = timedelta(milliseconds=100)


def events(count: int, matching: list[str]) -> Iterator[dict[str, str]]:
    """Yield EventData, and note the destinations that match the rule."""
    network = Network(Random(5))
    for number in range(count):
        matches = network.random.random() < MATCHING_SHARE
        connection = network.matching() if matches else network.ordinary()
        if matches:
            matching.append(connection.destination)
        yield sysmon_data(network, connection, START + _STEP * number)


def main() -> None:
    """Write a file, and its answers."""
    parser = argparse.ArgumentParser(prog="python -m bench.evtx_data", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--events", type=int, default=60_000, help="default: 60000")
    parser.add_argument("--answers", type=Path, required=True, help="list the destinations here")
    arguments = parser.parse_args()
    matching: list[str] = []
    arguments.out.write_bytes(evtx(events(arguments.events, matching)))
    lines = (json.dumps({"destination": destination}) + "\n" for destination in matching)
    arguments.answers.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
