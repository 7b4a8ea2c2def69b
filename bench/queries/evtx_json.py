"""Every record of an EVTX file as JSON, by the library alone: ``evtx_json.py FILE``."""

import sys
from typing import Any

from evtx import PyEvtxParser

if __name__ == "__main__":
    records: Any = PyEvtxParser(sys.argv[1], number_of_threads=1).records_json()
    sys.stdout.write(f"{sum(len(record['data']) for record in records)}\n")
