"""The question in DuckDB, with explicit columns: ``duckdb_scan.py THREADS FILE [first]``.

With ``first`` it asks for the first time of each destination, of ECS documents.
"""

import sys

import duckdb

PRIVATE = r"^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)"
INTERNAL = r"^(10\.|127\.|169\.254\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)"
RAW = (
    "STRUCT(DestinationIp VARCHAR, DestinationPort VARCHAR, ProcessId VARCHAR,"
    " Protocol VARCHAR, SourceIp VARCHAR)"
)
WINLOG = "winlog.event_data"
DUMPED = "Event.EventData"
QUERY = f"""
WITH events AS (
  SELECT
    coalesce(destination.ip, {WINLOG}.DestinationIp, {DUMPED}.DestinationIp) AS destination_ip,
    coalesce(source.ip, {WINLOG}.SourceIp, {DUMPED}.SourceIp) AS source_ip,
    coalesce(destination.port, {WINLOG}.DestinationPort, {DUMPED}.DestinationPort) AS port,
    coalesce(process.pid, {WINLOG}.ProcessId, {DUMPED}.ProcessId) AS pid,
    coalesce(network.transport, {WINLOG}.Protocol, {DUMPED}.Protocol) AS transport
  FROM read_ndjson($path, columns = {{
    destination: 'STRUCT(ip VARCHAR, port VARCHAR)', source: 'STRUCT(ip VARCHAR)',
    process: 'STRUCT(pid VARCHAR)', network: 'STRUCT(transport VARCHAR)',
    winlog: 'STRUCT(event_data {RAW})', Event: 'STRUCT(EventData {RAW})'}})
)
SELECT DISTINCT destination_ip FROM events
WHERE port IN ('445', '139') AND pid = '4' AND transport = 'tcp'
  AND regexp_matches(source_ip, $private) AND NOT regexp_matches(destination_ip, $internal)
"""  # noqa: S608 - the parts are the constants above

FIRST = """
SELECT destination.ip, min("@timestamp")
FROM read_ndjson($path, columns = {
  "@timestamp": 'VARCHAR', destination: 'STRUCT(ip VARCHAR, port VARCHAR)',
  source: 'STRUCT(ip VARCHAR)', process: 'STRUCT(pid VARCHAR)',
  network: 'STRUCT(transport VARCHAR)'})
WHERE destination.port IN ('445', '139') AND process.pid = '4' AND network.transport = 'tcp'
  AND regexp_matches(source.ip, $private) AND NOT regexp_matches(destination.ip, $internal)
GROUP BY 1
"""

if __name__ == "__main__":
    duckdb.sql(f"SET threads = {int(sys.argv[1])}")
    found = duckdb.execute(
        FIRST if sys.argv[3:] else QUERY,
        {"path": sys.argv[2], "private": PRIVATE, "internal": INTERNAL},
    ).fetchall()
    sys.stdout.write("".join(f"{address}\n" for address, *_ in found))
