"""Names the cloud service of a destination, from the lists of ranges that providers publish.

Read are Azure's service tags, AWS's ip-ranges.json, Google's goog.json and cloud.json, and CSV of
``range,label``; the content shows which it is.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from smbrare.detection.reference import LABELS, Reference
from smbrare.enrichment.intel import AddressIndex, csv_rows, networks_of
from smbrare.errors import reason_of
from smbrare.limits import MIB
from smbrare.records.fields import Address

_MOST_BYTES = 128 * MIB
_MOST_CHARACTERS = 100
_MOST_LABELS = 5


class _LabelledRange(Struct, frozen=True):
    """A range as a file has it.

    Attributes:
        text: An address or a CIDR range.
        name: The service.
        region: Where it is, if the file says so.
        is_general: Whether the name is the provider's, and says less than that of a service.
    """

    text: Any
    name: str
    region: str = ""
    is_general: bool = False


def _azure(document: dict[str, Any]) -> Iterator[_LabelledRange]:
    for tag in document["values"]:
        properties = tag["properties"]
        name = _text(tag["name"]).partition(".")[0].removeprefix("Azure")
        general = name == "Cloud"
        for text in properties["addressPrefixes"]:
            yield _LabelledRange(text, f"Azure {name}", _text(properties.get("region")), general)


def _aws(document: dict[str, Any]) -> Iterator[_LabelledRange]:
    for key, field in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for prefix in document.get(key, ()):
            service, region = _text(prefix.get("service")), _text(prefix.get("region"))
            name, general = ("AWS", True) if service == "AMAZON" else (f"AWS {service}", False)
            yield _LabelledRange(prefix[field], name, region * (region != "GLOBAL"), general)


def _google(document: dict[str, Any]) -> Iterator[_LabelledRange]:
    for prefix in document["prefixes"]:
        service = _text(prefix.get("service"))
        text = prefix.get("ipv4Prefix") or prefix["ipv6Prefix"]
        yield _LabelledRange(text, service or "Google", _text(prefix.get("scope")), not service)


def _text(value: object) -> str:
    return value[:_MOST_CHARACTERS] if isinstance(value, str) else ""


_FORMATS: dict[str, tuple[str, Callable[[dict[str, Any]], Iterator[_LabelledRange]]]] = {
    "values": ("Azure service tags", _azure),
    "createDate": ("AWS ranges", _aws),
    "creationTime": ("Google ranges", _google),
}
"""Key at the top that only this format has → its name, and what reads it."""


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"larger than {_MOST_BYTES // MIB} MiB")
    return content.removeprefix(b"\xef\xbb\xbf")


def _json_ranges(content: bytes) -> tuple[str, Iterator[_LabelledRange]]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"damaged JSON: {error}") from None
    for key, (name, read) in _FORMATS.items():
        if key in document:
            return name, read(document)
    raise ValueError("JSON of none of the published forms")


def _csv_ranges(content: bytes) -> Iterator[_LabelledRange]:
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    for number, row in enumerate(csv_rows(lines)):
        text, label = [*(cell.strip() for cell in row), ""][:2]
        if number or networks_of(text):  # The first row may be a heading.
            yield _LabelledRange(text, label[:_MOST_CHARACTERS])


def look_up(file: str, destinations: Iterable[str]) -> Reference:
    """Return the labels of some destinations: those of the narrowest range of a service.

    Args:
        file: The list.
        destinations: Addresses in canonical text; without any the list is only tried.
    """
    name = "labels"
    try:
        content = _content(Path(file))
        if content.lstrip()[:1] in {b"{", b"["}:
            name, ranges = _json_ranges(content)
        else:
            ranges = _csv_ranges(content)
        counts, best = _best(ranges, [ip_address(text) for text in set(destinations)])
    except OSError as error:
        return Reference("labels", file, problem=reason_of(error))
    except (csv.Error, ValueError) as error:
        return Reference("labels", file, problem=str(error))
    except (KeyError, TypeError, AttributeError):
        return Reference("labels", file, name, problem=f"not as published: {name}")
    if counts[False] and not counts[True]:
        return Reference("labels", file, name, problem="it contains no range with a label")
    facts = {str(address): {LABELS: _texts(regions)} for address, (_, regions) in best.items()}
    return Reference("labels", file, name, entries=counts[True], skipped=counts[False], facts=facts)


_Best: TypeAlias = dict[Address, tuple[tuple[bool, int], dict[str, str]]]
"""Address → the rank of its narrowest range, and that range's services with their regions."""


def _best(
    ranges: Iterable[_LabelledRange], addresses: list[Address]
) -> tuple[Counter[bool], _Best]:
    """Return how many ranges could be read, and could not, and the best of each address."""
    counts, best, index = Counter[bool](), _Best(), AddressIndex(addresses)
    for one in ranges:
        blocks = _blocks(one.text) if one.name else []
        counts[bool(blocks)] += 1
        if blocks and not addresses:
            break
        for version, length, first in blocks:
            rank = (not one.is_general, length)
            for address in index.inside(version, length, first):
                known, regions = best.get(address, ((False, -1), {}))
                if rank > known:
                    best[address] = (rank, {one.name: one.region})
                elif rank == known and not regions.get(one.name):
                    # Azure has a tag for all regions of a service, and one for each.
                    regions[one.name] = one.region
    return counts, best


def _texts(regions: Mapping[str, str]) -> list[str]:
    listed = sorted(regions.items())[:_MOST_LABELS]
    return [f"{name} ({region})" if region else name for name, region in listed]


def _blocks(text: Any) -> list[tuple[int, int, int]]:
    """Return the version, prefix length and first address of what a text covers."""
    try:
        # Published lists are long, and the standard library takes ten times as long for a range.
        start, _, length = text.partition("/")
        version, family, bits = (6, AF_INET6, 128) if ":" in start else (4, AF_INET, 32)
        number = int(length or bits)
        if 0 <= number <= bits:
            return [(version, number, int.from_bytes(inet_pton(family, start)))]
    except (AttributeError, OSError, ValueError):
        pass
    if not isinstance(text, str):
        return []
    return [(net.version, net.prefixlen, int(net.network_address)) for net in networks_of(text)]
