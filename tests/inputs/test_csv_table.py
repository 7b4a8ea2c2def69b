"""Tables: Kibana's formatting is undone, and a broken row costs only itself."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs.readers import csv_table
from smbrare.inputs.readers.csv_lines import CsvLines
from smbrare.limits import Limits
from smbrare.records.event import Record, Skipped
from smbrare.records.fields import ip, long
from smbrare.records.times import date
from smbrare.sources import column_names

HEADER = "@timestamp,destination.ip,source.port,message\n"


def read(text: str | bytes, **limits: int) -> list[Record | Skipped]:
    content = text.encode() if isinstance(text, str) else text
    return list(csv_table.read(io.BytesIO(content), "x", Limits(**limits), names=column_names))


def documents(text: str | bytes, **limits: int) -> list[Any]:
    return [item.document for item in read(text, **limits) if isinstance(item, Record)]


def skipped(text: str | bytes, **limits: int) -> list[Skipped]:
    return [item for item in read(text, **limits) if isinstance(item, Skipped)]


def test_a_row_of_kibanas_becomes_what_the_fields_can_read() -> None:
    (found,) = documents(HEADER + '"Jul 12, 2019 @ 00:00:00.500",45.83.122.10,"49,305",hi\n')
    assert date(found["@timestamp"]) == date("2019-07-12T00:00:00.500Z").__class__(
        date("2019-07-12T00:00:00.500Z").time, zone_assumed=True
    )
    assert ip(found["destination.ip"]) == ip("45.83.122.10")
    assert long(found["source.port"]) == 49_305


@pytest.mark.parametrize("cell", ["", "-", "'-", "(empty)"])
def test_what_kibana_writes_for_a_missing_value_is_missing(cell: str) -> None:
    (found,) = documents(f"{HEADER}2019-07-12T00:00:00Z,{cell},1,x\n")
    assert "destination.ip" not in found


def test_several_values_in_a_cell_are_a_list_where_the_field_has_no_comma_of_its_own() -> None:
    cells = 'x,"10.0.0.1, 45.83.122.10","23,975, 6,338, 445","cool, rad"'
    (found,) = documents(f"{HEADER}{cells}\n")
    assert found["destination.ip"] == ["10.0.0.1", "45.83.122.10"]
    assert found["source.port"] == ["23975", "6338", "445"]
    assert found["message"] == "cool, rad"


def test_the_quote_before_a_formula_is_taken_off() -> None:
    header = HEADER.replace("@timestamp", "'@timestamp")
    (found,) = documents(f"{header}x,45.83.122.10,1,'=cmd()\n")
    assert found["@timestamp"] == "x"
    assert found["message"] == "=cmd()"


def test_a_row_of_advanced_hunting_stays_as_it_is_but_for_json() -> None:
    text = (
        "TimeGenerated [UTC],RemoteIP,RemotePort,AdditionalFields,DeviceName\n"
        '2026-11-16T08:00:00.1234567Z,45.83.122.10,445,"{""a"": ""b, c""}",\n'
    )
    assert documents(text) == [
        {
            "TimeGenerated [UTC]": "2026-11-16T08:00:00.1234567Z",
            "RemoteIP": "45.83.122.10",
            "RemotePort": "445",
            "AdditionalFields": {"a": "b, c"},
        }
    ]


def test_a_row_stands_where_its_first_line_stands() -> None:
    text = HEADER + 'a,b,c,"x\ny"\n\na,b,c,d\n'
    origins = [(item.origin.number, item.origin.offset) for item in read(text)]
    assert origins == [(2, len(HEADER)), (5, len(HEADER) + 13)]


JOINED = {
    "the same order": HEADER + "1,2,3,4\n",
    "another order": "message,source.port,destination.ip,@timestamp\n4,3,2,1\n",
    "another order, marked": "\ufeffmessage,source.port,destination.ip,@timestamp\n4,3,2,1\n",
    "other columns": "host.name,@timestamp,destination.ip,source.port,message\nh,1,2,3,4\n",
    "fewer columns": "destination.ip,@timestamp\n2,1\n",
    "another vendor": (
        "Timestamp,DeviceName,ActionType,LocalIP,Protocol,InitiatingProcessId,Note,More\n"
        "1,2,3,4,5,6,7,8\n"
    ),
}


@pytest.mark.parametrize("second", JOINED.values(), ids=JOINED)
def test_a_second_header_is_a_header(second: str) -> None:
    text = HEADER + "1,2,3,4\n" + second
    assert skipped(text) == []
    first, *others = documents(text)
    assert first == {"@timestamp": "1", "destination.ip": "2", "source.port": "3", "message": "4"}
    assert others == documents(second.removeprefix("\ufeff"))
    assert len(others) == 1


@given(
    st.lists(st.sampled_from((*sorted(column_names()), "x", "")), min_size=2, max_size=2),
)
def test_no_text_in_some_cells_of_an_event_makes_it_a_header(texts: list[str]) -> None:
    message, host = texts
    header = "@timestamp,destination.ip,source.port,message,host.name\n"
    row = f"2026-11-16T08:00:00Z,45.83.122.10,49305,{message},{host}\n"
    assert len(documents(header + row * 2)) == 2


def test_a_header_in_the_middle_of_joined_tables_is_no_row() -> None:
    assert len(documents((HEADER + "a,b,c,d\n") * 2)) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,b,c\n", "3 cells where the header has 4"),
        ("a,b,c,d,e\n", "5 cells where the header has 4"),
        ("a,b,c,d\0\n", "a NUL character"),
        ("a,b,c," + "x" * 3_000 + "\n", "field larger than field limit"),
        ('a,b,c,"x"y\n', "expected after"),
        ("a,b,c," + "x," * 20_000 + "\n", "longer than"),
        ("a,b,c,d\re\n", "new-line character"),
    ],
    ids=["short", "long", "NUL", "field", "quote", "bytes", "carriage return"],
)
def test_a_broken_row_costs_only_itself(row: str, reason: str) -> None:
    text = HEADER + "a,1,c,d\n" + row + "a,2,c,d\n"
    limits = {"csv_field": 2_000, "record_bytes": 20_000}
    assert [found["destination.ip"] for found in documents(text, **limits)] == ["1", "2"]
    (found,) = skipped(text, **limits)
    assert reason in found.reason
    assert found.origin.number == 3
    assert not found.ends_input
    assert not found.could_matter


def test_a_broken_row_that_could_hold_smb_could_matter() -> None:
    (found,) = skipped(HEADER + "a,45.83.122.10,445\na,b,c,d\n")
    assert found.could_matter


def test_a_quote_that_is_not_closed_swallows_no_other_row() -> None:
    rows = "".join(f"a,{number},c,d\n" for number in range(50))
    text = HEADER + rows + 'a,x,c,"cut\n' + rows
    assert [found["destination.ip"] for found in documents(text)] == [
        str(number) for number in [*range(50), *range(50)]
    ]
    (found,) = skipped(text)
    assert found.origin.number == 52


def test_many_quotes_that_are_not_closed_cost_no_more_than_reading_twice() -> None:
    text = HEADER + 'a","\n' * 40_000
    lines = CsvLines(io.BytesIO(text.encode()), Limits(10**9))
    assert lines.header()
    assert len(skipped(text)) >= 1
    assert documents(text) == []


@pytest.mark.parametrize("row", ["a,b,c", 'a,b,c,"d', 'a,b,c,"d\ne'])
def test_a_last_row_that_is_cut_off_ends_the_input(row: str) -> None:
    text = HEADER + "a,b,c,d\n" + row
    assert len(documents(text)) == 1
    assert skipped(text)[-1].ends_input
    assert skipped(text)[-1].could_matter


def test_a_last_row_needs_no_line_end() -> None:
    assert skipped(HEADER + "a,b,c,d") == []
    assert len(documents(HEADER + "a,b,c,d")) == 1


def test_the_limit_of_a_field_follows_the_limits_from_one_input_to_the_next() -> None:
    row = "a,b,c," + "x" * 200_000 + "\n"
    assert len(documents(HEADER + row, csv_field=1_000)) == 0
    assert len(documents(HEADER + row, csv_field=300_000)) == 1
    assert len(documents(HEADER + row, csv_field=1_000)) == 0


@pytest.mark.parametrize(
    ("header", "is_one"),
    [
        ("@timestamp,message", True),
        ('"@timestamp","destination.ip"', True),
        ("Timestamp;RemoteIP;ActionType", True),
        ("Timestamp\tDeviceName\tActionType", True),
        ("  \n\nTimestamp,DeviceName,ActionType", True),
        ("time,colour", False),
        ("@timestamp", False),
        ("a text about the host.name, and more", False),
        ('{"@timestamp": "x", "host.name": 1}', False),
        ("", False),
    ],
)
def test_a_table_of_events_is_known_by_its_header(header: str, is_one: bool) -> None:  # noqa: FBT001
    assert csv_table.recognizes(header.encode(), whole=True, names=column_names) is is_one
    assert not csv_table.recognizes(header.encode(), whole=False, names=column_names)
    assert csv_table.recognizes(header.encode() + b"\n", whole=False, names=column_names) is is_one


CELLS = st.text(alphabet=st.sampled_from('ab,"\n\r\0\t45'), max_size=8)


@given(st.lists(CELLS, max_size=30), st.binary(max_size=60))
def test_no_table_raises_and_no_good_row_behind_it_is_lost(cells: list[str], noise: bytes) -> None:
    """Two rows behind, as the first may be the end of a quote that was open."""
    text = (HEADER + ",".join(cells)).encode() + noise + b"\n" + b"a,last,c,d\n" * 2
    assert documents(text)[-1]["destination.ip"] == "last"
