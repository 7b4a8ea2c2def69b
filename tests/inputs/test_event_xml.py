"""Event XML: the shape of the EVTX library, no traps, and a broken event costs only itself."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs.readers import event_xml
from smbrare.limits import Limits
from smbrare.records.event import Record, Skipped
from smbrare.records.event_xml import BadXml, event_from_xml, parse
from smbrare.records.json_text import decode
from tests.support.container_world import WORLD, expected, seen, xml

SYSTEM = "<System><EventID>3</EventID></System>"


def event(data: str = "", system: str = SYSTEM) -> str:
    return f"<Event>{system}<EventData>{data}</EventData></Event>"


def numbered(number: int) -> str:
    return event(f"<Data Name='n'>{number}</Data>")


def read(text: str | bytes, **limits: int) -> list[Record | Skipped]:
    content = text.encode() if isinstance(text, str) else text
    return list(event_xml.read(io.BytesIO(content), "x", Limits(**limits)))


def numbers(text: str | bytes, **limits: int) -> list[str]:
    return [
        item.document["Event"]["EventData"]["n"]
        for item in read(text, **limits)
        if isinstance(item, Record)
    ]


def skipped(text: str | bytes, **limits: int) -> list[Skipped]:
    return [item for item in read(text, **limits) if isinstance(item, Skipped)]


def test_an_event_has_the_shape_that_the_evtx_library_gives() -> None:
    text = (
        "<Event xmlns='urn'><System><Provider Name='Sysmon' Guid='{1}'/>"
        "<EventID Qualifiers='0'>3</EventID><Correlation/><Channel>c</Channel></System>"
        "<EventData><Data Name='a'>1 &lt; 2</Data><Data Name='b'/><Data>x</Data><Data>y</Data>"
        "</EventData></Event>"
    )
    assert event_from_xml(text) == {
        "Event": {
            "#attributes": {"xmlns": "urn"},
            "System": {
                "Provider": {"#attributes": {"Name": "Sysmon", "Guid": "{1}"}},
                "EventID": {"#attributes": {"Qualifiers": "0"}, "#text": "3"},
                "Correlation": None,
                "Channel": "c",
            },
            "EventData": {"a": "1 < 2", "b": "", "Data": {"#text": ["x", "y"]}},
        }
    }


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


def test_published_logs_read_alike_as_evtx_and_as_xml(shared: Path) -> None:
    evtx = pytest.importorskip("evtx")
    for path in sorted(shared.glob("*/*.evtx")):
        if "damaged" in path.name:
            continue
        rendered = [each["data"] for each in evtx.PyEvtxParser(str(path)).records()]
        decoded = [each["data"] for each in evtx.PyEvtxParser(str(path)).records_json()]
        found = read("".join(rendered))
        assert [item.document for item in found if isinstance(item, Record)] == [
            as_text(decode(each)) for each in decoded
        ]


def test_elements_of_one_name_are_numbered_and_of_one_data_the_last_counts() -> None:
    (found,) = read(event("<Data Name='a'>1</Data><Data Name='a'>2</Data><X>3</X><X>4</X>"))
    assert isinstance(found, Record)
    assert found.document["Event"]["EventData"] == {"a": "2", "X": "3", "X_1": "4"}


@pytest.mark.parametrize(
    "text",
    [
        "<Event/>",
        "<Event><System>text</System></Event>",
        "<Event><EventData><System/></EventData></Event>",
        "<Other><System><EventID>3</EventID></System></Other>",
        "no xml",
        "",
        event() + event(),
        "<Event>" + SYSTEM,
    ],
)
def test_what_is_no_event_is_none(text: str) -> None:
    assert event_from_xml(text) is None
    with pytest.raises(BadXml):
        parse(text)


@pytest.mark.parametrize(
    "bad", ["\x01", "&#1;", "&#x1F;", "\x00", "&#xD800;", "&#xfffe;", "\ufffe"]
)
def test_a_character_that_xml_forbids_does_not_hide_its_event(bad: str) -> None:
    found = event_from_xml(event(f"<Data Name='a'>x{bad}y</Data>"))
    assert found is not None
    assert found["Event"]["EventData"]["a"] == "x\ufffdy"


def test_bytes_that_are_no_utf_8_do_not_hide_their_event() -> None:
    found = event_from_xml(event("<Data Name='a'>xZy</Data>").encode().replace(b"Z", b"\xff"))
    assert found is not None
    assert found["Event"]["EventData"]["a"] == "x\ufffdy"


def test_the_encoding_that_a_declaration_claims_is_not_believed() -> None:
    text = "<?xml version='1.0' encoding='utf-16'?>" + event("<Data Name='a'>ü</Data>")
    found = event_from_xml(text.encode())
    assert found is not None
    assert found["Event"]["EventData"]["a"] == "ü"


LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY a 'lol'>"
    + "".join(
        f"<!ENTITY {name} '{('&' + below + ';') * 10}'>"
        for below, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "document_type",
    [
        LAUGHS,
        "<!DOCTYPE x [<!ENTITY i SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'>",
    ],
    ids=["laughs", "file", "network"],
)
def test_a_document_type_is_refused_and_the_events_behind_it_are_read(document_type: str) -> None:
    text = "<?xml version='1.0'?>" + document_type + event("&i;") + numbered(1)
    assert event_xml.recognizes(text.encode(), whole=True)
    assert numbers(text) == ["1"]
    refused, undefined = skipped(text)
    assert "a document type" in refused.reason
    assert "undefined entity" in undefined.reason
    assert event_from_xml(document_type + numbered(1)) is None


def test_a_bomb_without_any_event_is_unknown_and_refused() -> None:
    text = (LAUGHS + "<lolz>&i;</lolz>").encode()
    assert not event_xml.recognizes(text, whole=True)
    assert [item.reason for item in skipped(text)] == ["a document type, which is not read"]


BROKEN = {
    "a tag that does not match": "<Event><System></Wrong></Event>",
    "an attribute cut off": "<Event><System><Provider Name='x",
    "cut off in its text": "<Event>" + SYSTEM + "<EventData><Data Name='n'>5",
    "cut off in CDATA": "<Event>" + SYSTEM + "<EventData><![CDATA[ x",
    "cut off in a comment": "<Event>" + SYSTEM + "<!-- x",
    "cut off in a tag": "<Event>" + SYSTEM + "<EventData><Da",
    "no System": "<Event><EventData/></Event>",
    "only the end of one": "ata></EventData></Event>",
    "an undefined entity": event("&nbsp;"),
    "a bare ampersand": event("<Data Name='n'>a & b</Data>"),
    "text": "wevtutil: error 5",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_among_good_ones_costs_only_itself(broken: str) -> None:
    text = numbered(1) + numbered(2) + broken + numbered(3) + numbered(4)
    assert numbers(text) == ["1", "2", "3", "4"]
    (found,) = skipped(text)
    assert found.origin.number == 3
    assert found.origin.offset == len(numbered(1) + numbered(2))
    assert not found.ends_input


@pytest.mark.parametrize("cut", [1, 8, 30, 60])
def test_a_last_event_that_is_cut_off_ends_the_input(cut: int) -> None:
    text = numbered(1) + numbered(2)
    assert numbers(text[:-cut]) == ["1"]
    (found,) = skipped(text[:-cut])
    assert found.ends_input
    assert found.could_matter


def test_tags_in_cdata_and_comments_are_none() -> None:
    inner = f"<![CDATA[</Event>{numbered(9)}]]>"
    text = f"<!-- {numbered(8)} -->" + event(f"<Data Name='n'>{inner}</Data>") + numbered(2)
    assert numbers(text) == [f"</Event>{numbered(9)}", "2"]
    assert skipped(text) == []


def test_many_beginnings_of_cdata_cost_no_more_than_one() -> None:
    text = "<Event><![CDATA[" * 50_000 + numbered(1)
    assert numbers(text) == ["1"]
    assert len(skipped(text)) == 50_000


def test_the_roots_tags_declarations_and_comments_are_no_damage() -> None:
    text = f"\n<?xml version='1.0'?>\n<Events xmlns='urn'>\n{numbered(1)}<!-- x -->\n</Events>\n"
    assert numbers(text * 2) == ["1", "1"]
    assert skipped(text * 2) == []


def test_limits_cost_only_the_event_that_exceeds_them() -> None:
    deep = event("<a>" * 50 + "</a>" * 50)
    attributes = event("<a " + " ".join(f"x{number}='1'" for number in range(40)) + "/>")
    elements = event("<a/>" * 500)
    long = event("<a>" + "x" * 200_000 + "</a>")
    for bad in (deep, attributes, elements, long):
        text = numbered(1) + bad + numbered(2)
        limits = {
            "nesting": 20,
            "xml_attributes": 30,
            "xml_elements": 400,
            "record_bytes": 150_000,
        }
        assert numbers(text, **limits) == ["1", "2"]
        assert len(skipped(text, **limits)) == 1
        assert skipped(text) == []


def test_text_without_end_outside_of_events_is_not_held() -> None:
    text = "x" * 3_500_000 + numbered(1)
    assert numbers(text) == ["1"]
    assert 1 <= len(skipped(text)) <= 5


@pytest.mark.parametrize("size", [1, 7, 64])
def test_events_may_lie_across_any_two_reads(size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    text = "<Events>" + "".join(map(xml, WORLD[:20])) + "</Events>"
    found = list(event_xml.read(Slow(text.encode()), "x"))
    assert [seen(item.document) for item in found if isinstance(item, Record)] == expected(
        WORLD[:20]
    )


PIECES = st.sampled_from(
    ["<Event>", "</Event>", "<Event ", "<![CDATA[", "]]>", "<!--", "-->", "&#0;", "&a;", "<", "x"]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12))
def test_nothing_raises_and_no_good_event_before_it_is_lost(pieces: list[str]) -> None:
    text = (numbered(1) + "".join(pieces)).encode("utf-8", "replace")
    assert numbers_safely(text)[0] == "1"


def numbers_safely(text: bytes) -> list[Any]:
    return [
        (item.document["Event"].get("EventData") or {}).get("n")
        for item in read(text)
        if isinstance(item, Record)
    ]
