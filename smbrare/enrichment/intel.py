"""Looks addresses up in lists: one address or range a line, or a column of a CSV file."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network, summarize_address_range
from itertools import chain
from pathlib import Path

from msgspec import Struct

from smbrare.detection.reference import INDICATOR, PROVIDER, Reference
from smbrare.errors import reason_of
from smbrare.records.fields import Address, Malformed, ip
from smbrare.rule.networks import Network

_DELIMITERS = ",;\t|"
_REMARK = re.compile(r"(?:^|\s)[#;].*")
_ADDRESS_AND_PORT = re.compile(r"([0-9]+(?:\.[0-9]+){3}):[0-9]{1,5}")
_MOST_COLUMNS_NAMED = 10


class Entry(Struct, frozen=True):
    """One line of a list.

    Attributes:
        text: The address or range as the list has it; empty where a line holds none.
        networks: What it covers.
    """

    text: str
    networks: tuple[Network, ...]


class NoColumn(ValueError):  # noqa: N818 - says what is wrong
    """A list without the column that was asked for."""


def parse(lines: Iterable[str], column: str = "") -> Iterator[Entry]:
    """Yield the entries of a list; a line that holds no address is one without networks.

    An entry is an address, a CIDR range or ``first-last``, perhaps with a port or written
    ``1.2.3[.]4``. Blank lines and remarks (``#``, ``;``) are skipped, and so is a heading.

    Args:
        lines: The text.
        column: The heading of the CSV column to read; without it the first cell of a row that
            holds an address is taken.

    Raises:
        NoColumn: If there is no such column.
    """
    rows = csv_rows(lines)
    heading = next(rows, None)
    if heading is None:
        return
    if column:
        at = _column(heading, column)
    else:
        at = None
        entry = _entry(heading)
        # A first row without an address names the columns, or is a line like any other.
        if entry.networks or len(heading) == 1:
            yield entry
    for row in rows:
        yield _entry(row if at is None else row[at : at + 1])


def csv_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the rows of a CSV file with any of the usual delimiters, without blanks and remarks."""
    filled = (line for line in lines if _REMARK.sub("", line, count=1).strip())
    for first in filled:
        delimiter = max(_DELIMITERS, key=first.count)
        yield from csv.reader(chain([first], filled), delimiter=delimiter)


def _column(heading: list[str], column: str) -> int:
    names = [name.strip() for name in heading]
    if column not in names:
        listed = ", ".join(names[:_MOST_COLUMNS_NAMED])
        raise NoColumn(f"has no column {column}; it has {listed}")
    return names.index(column)


def _entry(cells: list[str]) -> Entry:
    texts = [_REMARK.sub("", cell).strip().strip("'\"") for cell in cells]
    if len(texts) == 1:
        # A line that is no row: words may follow the address.
        texts += texts[0].split()[:1]
    for text in texts:
        if networks := networks_of(text.replace("[.]", ".").replace("[:]", ":")):
            return Entry(text, networks)
    return Entry("", ())


def networks_of(text: str) -> tuple[Network, ...]:
    """Return what an address, a CIDR range or ``first-last`` covers; nothing for other text."""
    if match := _ADDRESS_AND_PORT.fullmatch(text):
        text = match[1]
    try:
        address = ip(text)
    except Malformed:
        pass
    else:
        return (ip_network(address),)
    first, dash, last = text.partition("-")
    try:
        if dash:
            ends = ip_address(first.strip()), ip_address(last.strip())
            return tuple(summarize_address_range(*ends))
        return (ip_network(text, strict=False),)
    except (ValueError, TypeError):
        return ()


def match(entries: Iterable[Entry], addresses: Iterable[Address]) -> dict[Address, Entry]:
    """Return for each address the narrowest entry that covers it; of two alike the first."""
    index = AddressIndex(addresses)
    best: dict[Address, tuple[int, Entry]] = {}
    for entry in entries:
        for network in entry.networks:
            for address in index.inside(
                network.version, network.prefixlen, int(network.network_address)
            ):
                if address not in best or best[address][0] < network.prefixlen:
                    best[address] = (network.prefixlen, entry)
    return {address: entry for address, (_, entry) in best.items()}


class AddressIndex:
    """The addresses that are asked about, by version and leading bits: a list may be long."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        self._addresses = tuple(addresses)
        self._leading: dict[tuple[int, int], dict[int, list[Address]]] = {}

    def inside(self, version: int, length: int, first: int) -> list[Address]:
        """Return those that lie in a range, given its version, prefix length and any address."""
        shift = (32 if version == 4 else 128) - length  # noqa: PLR2004 - the versions of IP
        leading = self._leading.get((version, length))
        if leading is None:
            leading = self._leading[version, length] = defaultdict(list)
            for address in self._addresses:
                if address.version == version:
                    leading[int(address) >> shift].append(address)
        return leading.get(first >> shift, [])


def look_up(file: str, destinations: Iterable[str]) -> Reference:
    """Return which destinations a list holds.

    Args:
        file: The list, or ``FILE#COLUMN`` for a column of a CSV file.
        destinations: Addresses in canonical text; without any the list is only tried.
    """
    path, column = Path(file), ""
    addresses = [ip_address(text) for text in set(destinations)]
    entries = skipped = 0

    def covering(listed: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the entries that cover something, and count all; of a trial only the first."""
        nonlocal entries, skipped
        for entry in listed:
            entries += bool(entry.networks)
            skipped += not entry.networks
            if entry.networks:
                yield entry
                if not addresses:
                    return

    try:
        if "#" in file and not path.is_file():
            name, _, column = file.rpartition("#")
            path = Path(name)
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            found = match(covering(parse(lines, column)), addresses)
    except OSError as error:
        return Reference("intel", file, path.stem, problem=reason_of(error))
    except (NoColumn, csv.Error) as error:
        return Reference("intel", file, path.stem, problem=str(error))
    if skipped and not entries:
        return Reference("intel", file, path.stem, problem="it contains no address")
    return Reference(
        "intel",
        file,
        path.stem,
        entries=entries,
        skipped=skipped,
        facts={
            str(address): {INDICATOR: entry.text, PROVIDER: path.stem}
            for address, entry in found.items()
        },
    )
