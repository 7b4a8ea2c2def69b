"""No input raises, whatever it holds: it is read, skipped and counted, or unknown."""

import gzip
import io
import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare.inputs.containers import parts
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Record, Skipped
from smbrare.sources import column_names
from tests.conftest import SHARED
from tests.support.container_world import ENCODINGS, PACKED, TEXTS, WORLD, evtx_file, records_of
from tests.support.zip_writer import Written, zip_file

LIMITS = Limits(
    record_bytes=100_000,
    nesting=50,
    csv_field=5_000,
    xml_elements=200,
    xml_attributes=20,
    archive_members=100,
    decompressed_bytes=20_000_000,
    expansion_free_bytes=2_000_000,
    spool_bytes=2_000_000,
)

TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b"\\", b",", b"\n", b"\r", b"\0", b"\xff", b"\xed\xa0\x80",
    b"<Event>", b"</Event>", b"<![CDATA[", b"]]>", b"<!--", b"&#0;",
    b"<!DOCTYPE a [<!ENTITY b ''>]>",
    b'"hits":{"hits":[', b'"_source":{', b"1e999", b"1e99999999999999999999", b"9" * 5_000,
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08", b"ElfChnk\0",
    b"\x1f\x8b\x08", b"ustar", b"-1", b"\xff\xff\xff\xff", b"\x80\0\0\0",
)  # fmt: skip


@cache
def seeds() -> tuple[bytes, ...]:
    """Return small inputs of every kind, and real ones if they are there."""
    world = WORLD[:12]
    texts = [text(world) for text in TEXTS.values()]
    plain = [text.encode() for text in texts] + [evtx_file(world)]
    found = plain + [encode(texts[0]) for encode in ENCODINGS.values()]
    for pack in PACKED.values():
        found += [pack(content) for content in (plain[0], plain[-1])]
    member = Written("a", plain[0], descriptor="of zip64")
    found += [zip_file(member), zip_file(member, before=zip_file(member)) + b"behind"]
    if SHARED.is_dir():
        files = sorted(path for path in SHARED.rglob("*") if path.is_file())
        found += [path.read_bytes()[:150_000] for path in files]
    return tuple(found)


CHANGES: tuple[Callable[[bytes, int, int], bytes], ...] = (
    lambda content, at, what: content[:at] + bytes([what % 256]) + content[at + 1 :],
    lambda content, at, what: content[:at] + TOKENS[what % len(TOKENS)] + content[at:],
    lambda content, at, what: content[:at] + content[at + what % 600 :],
    lambda content, at, what: content[:at] + content[at - what % 600 : at] + content[at:],
    lambda content, at, what: content[:at] if what % 4 == 0 else content,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(seeds()))
    near = draw(st.booleans())
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, min(len(content), 600 if near else len(content))))
        change = draw(st.sampled_from(CHANGES))
        content = change(content, at, draw(st.integers(0, 2**16)))
    return content


def read_to_the_end(content: bytes) -> None:
    ended: set[str] = set()
    for part in parts(io.BytesIO(content), "input", LIMITS, columns=column_names):
        for item in records_of(part, LIMITS):
            assert part.container
            assert part.path not in ended, "nothing follows what ends an input"
            if isinstance(item, Record):
                assert isinstance(item.document, dict)
                list(envelope.events(item.document))
            else:
                assert isinstance(item, Skipped)
                assert re.search(r"\w", item.reason)
                if item.ends_input:
                    ended.add(part.path)
        ended.discard(part.path)  # An archive may hold two members of one name.


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_no_changed_input_raises(content: bytes) -> None:
    read_to_the_end(content)


@given(st.binary(max_size=300), st.sampled_from([b"", *TOKENS]))
def test_no_noise_raises(noise: bytes, before: bytes) -> None:
    read_to_the_end(before + noise)


@pytest.mark.parametrize("seed", range(0, 1000, 50))
def test_no_cut_raises(seed: int) -> None:
    for content in seeds():
        read_to_the_end(content[: len(content) * seed // 1000])


def test_no_deep_nesting_raises() -> None:
    for opening in (b"[", b'{"a":', b"<a>", b'{"hits":', b'{"records":[', b'{"_id":1,"_source":'):
        read_to_the_end(opening * 100_000)
        read_to_the_end(b'{"a":1}\n' + opening * 100_000 + b"\n")
    read_to_the_end(b"<Event><System>" + b"<a>" * 100_000 + b"</Event>")


def test_a_chain_of_headers_in_a_tar_does_not_raise() -> None:
    header = bytearray(512)
    header[:1] = b"a"
    header[124:136] = b"00000000000\0"
    header[156:157] = b"L"
    header[257:263] = b"ustar "
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    read_to_the_end(bytes(header) * 1_900)
    read_to_the_end(gzip.compress(bytes(header) * 5_000))
