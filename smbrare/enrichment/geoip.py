"""Looks up the country and network of an address in MaxMind DB files (``.mmdb``).

Fields follow the published schemas of MaxMind's GeoIP2 and GeoLite2 databases, which DB-IP's lite
databases share, and of IPinfo's.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from smbrare.detection.reference import AS_NAME, AS_NUMBER, COUNTRY, Reference
from smbrare.errors import reason_of
from smbrare.records.fields import Malformed
from smbrare.records.times import from_number

_AS_TEXT = re.compile(r"AS([0-9]{1,10})")
_LARGEST_AS = 2**32 - 1
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {
    COUNTRY: (
        ("country", "iso_code"),
        ("registered_country", "iso_code"),
        ("country_code",),
        ("country",),
    ),
    AS_NUMBER: (("autonomous_system_number",), ("asn",)),
    AS_NAME: (("autonomous_system_organization",), ("as_name",)),
}


def fields(record: object) -> dict[str, Any]:
    """Return the ECS fields of a database's record; none for unknown shapes."""
    found: dict[str, Any] = {}
    for name, paths in _PATHS.items():
        for path in paths:
            value = _checked_value(name, _at(record, path))
            if value is not None:
                found[name] = value
                break
    return found


def _at(record: object, path: tuple[str, ...]) -> object:
    for key in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(key)
    return record


def _checked_value(name: str, value: object) -> str | int | None:
    if name == AS_NUMBER:
        match = _AS_TEXT.fullmatch(value) if isinstance(value, str) else None
        number = int(match[1]) if match else value
        if not isinstance(number, int) or isinstance(number, bool):
            return None
        return number if 0 < number <= _LARGEST_AS else None
    if not isinstance(value, str) or not value:
        return None
    # IPinfo's "country" is a code in one product and a name in another.
    return value if name != COUNTRY or _COUNTRY_CODE.fullmatch(value) else None


def _build_time(epoch: float) -> int | None:
    try:
        return from_number(epoch, 1).time
    except Malformed:
        return None


def look_up(file: str, destinations: Iterable[str]) -> Reference:
    """Return what a database says about some destinations, addresses in canonical text."""
    import maxminddb  # noqa: PLC0415 - an extra, and needed for this only

    try:
        # The reader in Python: the one in C crashes the interpreter on some damaged files.
        with maxminddb.open_database(file, maxminddb.MODE_MMAP) as database:
            metadata = database.metadata()
            facts = {}
            for destination in sorted(set(destinations)):
                if ":" in destination and metadata.ip_version == 4:  # noqa: PLR2004
                    continue
                if known := fields(database.get(destination)):
                    facts[destination] = known
            return Reference(
                "geoip",
                file,
                name=str(metadata.database_type),
                built=_build_time(metadata.build_epoch),
                facts=facts,
            )
    except OSError as error:
        return Reference("geoip", file, problem=reason_of(error))
    except Exception:  # noqa: BLE001 - a damaged file raises whatever it hits upon
        return Reference("geoip", file, problem="not a usable MaxMind DB file")
