"""Tables in JSON are read as the rows that they hold, however their names and values are laid."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.inputs.containers import parts
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.records import envelope
from smbrare.records.event import Record

Rows = list[dict[str, Any]]


def split(rows: Rows) -> tuple[list[str], list[list[Any]]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names, [[row.get(name) for name in names] for row in rows]


def esql(rows: Rows) -> Any:
    names, values = split(rows)
    columns = [{"name": name, "type": "keyword"} for name in names]
    return {"took": 3, "is_partial": False, "columns": columns, "values": values}


def esql_columnar(rows: Rows) -> Any:
    answer = esql(rows)
    return answer | {"values": [list(column) for column in zip(*answer["values"], strict=True)]}


def sql(rows: Rows) -> Any:
    answer = esql(rows)
    return {"columns": answer["columns"], "rows": answer["values"]}


def opensearch_sql(rows: Rows) -> Any:
    answer = esql(rows)
    return {"schema": answer["columns"], "datarows": answer["values"], "status": 200}


def log_analytics(rows: Rows) -> Any:
    return {"tables": [{"name": "PrimaryResult", **sql(rows)}]}


def kusto_1(rows: Rows) -> Any:
    names, values = split(rows)
    columns = [{"ColumnName": name, "DataType": "String"} for name in names]
    return {"Tables": [{"TableName": "Table_0", "Columns": columns, "Rows": values}]}


def kusto_2(rows: Rows) -> Any:
    table = {"FrameType": "DataTable", "TableKind": "PrimaryResult"} | kusto_1(rows)["Tables"][0]
    return [{"FrameType": "DataSetHeader"}, table, {"FrameType": "DataSetCompletion"}]


def splunk_rows(rows: Rows) -> Any:
    names, values = split(rows)
    return {"preview": False, "fields": names, "rows": values}


def pandas_columns(rows: Rows) -> Any:
    names, values = split(rows)
    return {
        name: {str(at): row[number] for at, row in enumerate(values)}
        for number, name in enumerate(names)
    }


def pandas_index(rows: Rows) -> Any:
    names, values = split(rows)
    return {str(at): dict(zip(names, row, strict=True)) for at, row in enumerate(values)}


def pandas_split(rows: Rows) -> Any:
    names, values = split(rows)
    return {"columns": names, "index": list(range(len(rows))), "data": values}


def pandas_table(rows: Rows) -> Any:
    return {"schema": {"fields": [], "pandas_version": "1.4.0"}, "data": rows}


FORMS: tuple[Callable[[Rows], Any], ...] = (
    *(esql, esql_columnar, sql, opensearch_sql, log_analytics, kusto_1, kusto_2, splunk_rows),
    *(pandas_columns, pandas_index, pandas_split, pandas_table),
)

rows_of_events = st.lists(
    st.fixed_dictionaries(
        {
            "@timestamp": st.just("2026-11-16T08:00:00Z"),
            "destination.ip": st.sampled_from(["45.0.0.1", "45.0.0.2"]),
            "destination.port": st.integers(1, 9),
        },
        optional={"note": st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)},
    ),
    min_size=1,
    max_size=5,
)


def read(text: str) -> Rows:
    """Return the events of a text that hold an address, read through whatever reader takes it."""
    (part,) = parts(io.BytesIO(text.encode()), "x")
    records = [item for item in part.read(ReaderOptions()).items if isinstance(item, Record)]
    events = [event for record in records for event in envelope.events(record.document)]
    return [without_null(event) for event in events if "destination.ip" in event]


def without_null(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def is_square(rows: Rows) -> bool:
    names, values = split(rows)
    return len(names) == len(values)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("indent", [None, 1])
@settings(max_examples=25)
@given(rows=rows_of_events)
def test_a_table_is_read_as_its_rows(
    form: Callable[[Rows], Any], indent: int | None, rows: Rows
) -> None:
    if form is esql_columnar and is_square(rows):
        return  # It cannot be told from rows, which are what the service answers by default.
    assert read(json.dumps(form(rows), indent=indent)) == [without_null(row) for row in rows]


@pytest.mark.parametrize(
    "table",
    [
        {"columns": [], "values": [["45.0.0.1"]]},
        {"columns": ["destination.ip"], "values": ["45.0.0.1"]},
        {"columns": ["destination.ip", 7], "values": [["45.0.0.1", 7]]},
        {"columns": ["destination.ip", "n"], "values": [["45.0.0.1", 1], ["45.0.0.2"]]},
        {"destination.ip": {"0": "45.0.0.1"}, "n": {"1": 3}},
        {"destination.ip": {"0": "45.0.0.1"}, "n": 3},
    ],
)
def test_what_does_not_fit_its_columns_stays_one_record(table: dict[str, Any]) -> None:
    assert list(envelope.events(table)) == [table]
