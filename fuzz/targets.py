"""What must hold of every reader and decoder, whatever the bytes.

A target takes bytes and raises where something does not hold. No target may raise for what an
input holds, but for the documented errors, which it expects itself.
"""

import contextlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fuzz.lines import GOOD, TEMPLATES, Place, filled
from smbrare.detection.destination_sieve import needs_decoding, stays_inside
from smbrare.detection.examine import examine, judge_contents
from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.containers import parts
from smbrare.inputs.json_tokens import DOCUMENT, NDJSON, shape, tokens
from smbrare.inputs.readers import arrays, csv_table, document, event_xml, ndjson
from smbrare.inputs.readers.arrays import ArrayLines
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import KIB, MIB, Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Item, Origin, Record, Skipped
from smbrare.records.event_xml import BadXml, parse
from smbrare.records.fields import Malformed, ip, long
from smbrare.records.json_text import BadJson, decode, nests_deeper
from smbrare.records.paths import leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import date
from smbrare.rule import predicate
from smbrare.rule.port_sieve import may_match
from smbrare.sources import column_names, recognize
from smbrare.text import cell, code_span, json_visible, message, visible

LIMITS = Limits(
    record_bytes=64 * KIB,
    nesting=50,
    csv_field=4 * KIB,
    xml_elements=500,
    xml_attributes=50,
    archive_members=100,
    decompressed_bytes=8 * MIB,
    expansion_free_bytes=2 * MIB,
    spool_bytes=2 * MIB,
)
_UNSEEN = re.compile(rb"[eE]|u00[46]5|#0*(?:69|101)|#x0*[46]5|[1349](?:<|\\*u003[cC])[^!?/\\]")
"""What may spell a number as the sieve is documented not to see: an exponent, an element inside."""
_FAR_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{10}")
_NAME = "input"


def containers(data: bytes) -> None:
    """Whatever an input holds, it gives records and what was skipped, which can be judged."""
    partial = Partial()
    for part in parts(io.BytesIO(data), _NAME, LIMITS):
        survey = InputSurvey(part.path, part.container)
        judge_contents(part.read(ReaderOptions(LIMITS)), ReadOptions(), survey, partial)
        partial.surveys.append(survey)


def lines(data: bytes) -> None:
    """Bad lines cost no good one, and sifting finds what reading every line finds."""
    text = GOOD + b"\n" + data + b"\n" + GOOD + b"\n"
    whole = _sighted(ndjson.read(io.BytesIO(text), _NAME, ReaderOptions(LIMITS)).items)
    assert whole[0] == 1
    assert whole[-1] == text.count(b"\n")
    if _UNSEEN.search(data):
        return
    for size in (len(text), 1_000):
        options = ReaderOptions(LIMITS, sample_every=1 << 40, needs_decoding=needs_decoding)
        sifted = ndjson.read_range(io.BytesIO(text), _NAME, options, block_bytes=size)
        assert _sighted(sifted) == whole


def rejections(data: bytes) -> None:
    """Neither the sieve nor the early rejection loses a line that matches."""
    if len(data) < 2:  # noqa: PLR2004 - which line, and where in it
        return
    template = TEMPLATES[data[0] % len(TEMPLATES)]
    line = filled(template, list(Place)[data[1] % len(Place)], data[2:])
    for item in ndjson.records(line + b"\n", Origin(_NAME, 1), LIMITS):
        if isinstance(item, Record) and any(map(_matches, envelope.events(item.document))):
            assert not stays_inside(line)
            assert may_match(line) or _UNSEEN.search(data[2:])


def json_texts(data: bytes) -> None:
    """All ways to read JSON read the same."""
    assert shape(data, whole=True) in {"", NDJSON, DOCUMENT}
    assert shape(data, whole=False) in {"", NDJSON, DOCUMENT}
    with contextlib.suppress(BadJson):
        list(tokens(io.BytesIO(data)))
    try:
        value = decode(data)
    except BadJson:
        return
    if not isinstance(value, dict) or nests_deeper(data, value, LIMITS.nesting):
        return
    read = list(document.read(io.BytesIO(b"[" + data + b"]"), _NAME, LIMITS))
    if data.isascii() and b"ud" not in data.lower():  # What is no character may be read otherwise.
        events = list(envelope.events(value))
        assert [_shape(one.document) for one in read if isinstance(one, Record)] == [
            _shape(one) for one in events
        ]


def arrays_of_json(data: bytes) -> None:
    """An array gives the same as lines and as tokens, wherever it is cut."""
    if _FAR_EXPONENT.search(data):  # Ends a document, and is a number beyond every type in a line.
        return
    for text in (data, b"[" + data + b"]", b'[{"a":1},' + data + b',{"b":2}]'):
        whole = _told(document.read(io.BytesIO(text), _NAME, LIMITS))
        for size in (16, 1_000, len(text) + 1):
            array = ArrayLines(io.BytesIO(text), LIMITS, size)
            items = arrays.elements(array, _NAME, ReaderOptions(LIMITS))
            assert _told(items) == whole


def sources(data: bytes) -> None:
    """Every object can be recognized, read and judged."""
    try:
        value = decode(data)
    except BadJson:
        return
    if isinstance(value, dict) and not nests_deeper(data, value, LIMITS.nesting):
        _take(Record(Origin(_NAME, 1), value), InputSurvey(_NAME), Partial())


def fields(data: bytes) -> None:
    """A value has its field's type or is malformed."""
    values: list[Any] = [data.decode("utf-8", "replace")]
    with contextlib.suppress(BadJson):
        values.append(decode(data))
    for value in values:
        leaves(value, "destination.ip")
        for convert in (long, ip, date):
            with contextlib.suppress(Malformed):
                convert(value)


def xml(data: bytes) -> None:
    """XML is an event or bad; what stands between good events costs none of them."""
    with contextlib.suppress(BadXml):
        parse(data, LIMITS)
    good = b"<Event><System><EventID>%d</EventID></System></Event>"
    text = good % 1 + b"<!-- -->" + data
    items = list(event_xml.read(io.BytesIO(text), _NAME, LIMITS))
    records = [item.document for item in items if isinstance(item, Record)]
    assert records[0] == {"Event": {"System": {"EventID": "1"}}}


def tables(data: bytes) -> None:
    """A broken row costs none before it."""
    header = b"@timestamp,source.ip,destination.ip\n"
    items = list(
        csv_table.read(io.BytesIO(header + b"a,b,c\n" + data), _NAME, LIMITS, names=column_names)
    )
    assert isinstance(items[0], Record)
    assert items[0].document["destination.ip"] == "c"
    list(csv_table.read(io.BytesIO(data), _NAME, LIMITS, names=column_names))


def texts(data: bytes) -> None:
    """What people see holds no character that acts, and no cell begins a formula."""
    text = data.decode("utf-8", "surrogatepass" if data[:1] == b"s" else "replace")
    for shown in (visible(text), cell(text), code_span(text), message(text)):
        assert not any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in shown)
    assert not cell(text).startswith(("=", "+", "-", "@"))
    assert visible(visible(text)) == visible(text)
    written = json.dumps(text, ensure_ascii=False)
    assert json.loads(json_visible(written)) == text


def _take(item: Record | Skipped, survey: InputSurvey, partial: Partial) -> None:
    if isinstance(item, Skipped):
        survey.skip(item)
        return
    for event in envelope.events(item.document):
        examine(event, item.origin, ReadOptions(), survey, partial)


def _matches(event: Document) -> bool:
    view = recognize(event, ReadOptions())
    return view is not None and predicate.matches(view)


def _sighted(items: Iterable[object]) -> list[int]:
    """Return the numbers of the lines that match, as the reader gives them."""
    return [
        item.origin.number
        for item in items
        if isinstance(item, Record) and any(map(_matches, envelope.events(item.document)))
    ]


def _told(items: Iterable[Item]) -> list[Any]:
    return [(one.origin, _shape(one.document)) if isinstance(one, Record) else one for one in items]


def _shape(value: Any) -> Any:
    """Return a value without what two readers of JSON may represent otherwise: numbers."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return value if isinstance(value, str | bool | None) else "number"


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "arrays": arrays_of_json,
    "containers": containers,
    "fields": fields,
    "json": json_texts,
    "lines": lines,
    "rejections": rejections,
    "sources": sources,
    "tables": tables,
    "texts": texts,
    "xml": xml,
}
