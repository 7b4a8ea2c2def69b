"""Bytes to records: a reader for each format, each in a file of its own and a line here."""

from functools import lru_cache
from functools import partial as bind

from smbrare.inputs.json_tokens import DOCUMENT, NDJSON, shape
from smbrare.inputs.readers import arrays, csv_table, event_xml, evtx_log, ndjson
from smbrare.inputs.readers.reader import Reader, of_all


@lru_cache(maxsize=4)
def readers(columns: csv_table.Names) -> tuple[Reader, ...]:
    """Return the formats of records, in the order asked: those of files before those of text.

    Args:
        columns: Returns the columns that tables of events have.
    """
    return (
        Reader("evtx", evtx_log.recognizes, evtx_log.read, reads_file=True),
        Reader("xml", event_xml.recognizes, of_all(event_xml.read)),
        Reader(
            "csv",
            bind(csv_table.recognizes, names=columns),
            of_all(bind(csv_table.read, names=columns)),
        ),
        Reader("json", lambda head, whole: shape(head, whole=whole) == DOCUMENT, arrays.read),
        # Last: any text counts whose lines are mostly objects.
        Reader("ndjson", lambda head, whole: shape(head, whole=whole) == NDJSON, ndjson.read),
    )
