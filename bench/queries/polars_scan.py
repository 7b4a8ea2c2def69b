"""The question in polars, with an explicit schema: ``polars_scan.py FILE``."""

import sys

import polars as pl

PRIVATE = r"^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)"
INTERNAL = r"^(10\.|127\.|169\.254\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)"
RAW = pl.Struct(
    dict.fromkeys(
        ("DestinationIp", "DestinationPort", "ProcessId", "Protocol", "SourceIp"), pl.String
    )
)
SCHEMA = {
    "destination": pl.Struct({"ip": pl.String, "port": pl.String}),
    "source": pl.Struct({"ip": pl.String}),
    "process": pl.Struct({"pid": pl.String}),
    "network": pl.Struct({"transport": pl.String}),
    "winlog": pl.Struct({"event_data": RAW}),
    "Event": pl.Struct({"EventData": RAW}),
}


def either(mapped: tuple[str, str], raw: str) -> pl.Expr:
    """Return the mapped field, else the raw one of Winlogbeat, else that of evtx_dump."""
    winlog = pl.col("winlog").struct.field("event_data").struct.field(raw)
    dumped = pl.col("Event").struct.field("EventData").struct.field(raw)
    return pl.coalesce(pl.col(mapped[0]).struct.field(mapped[1]), winlog, dumped)


if __name__ == "__main__":
    destination = either(("destination", "ip"), "DestinationIp")
    found = (
        pl.scan_ndjson(sys.argv[1], schema=SCHEMA)
        .filter(
            either(("destination", "port"), "DestinationPort").is_in(["445", "139"])
            & (either(("process", "pid"), "ProcessId") == "4")
            & (either(("network", "transport"), "Protocol") == "tcp")
            & either(("source", "ip"), "SourceIp").str.contains(PRIVATE)
            & ~destination.str.contains(INTERNAL)
        )
        .select(destination.alias("found"))
        .unique()
        .collect()
    )
    sys.stdout.write("".join(f"{address}\n" for address in found["found"]))
