"""A zip is read to its last byte: what no member accounts for is read as a zip or named."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.limits import Limits
from tests.support.container_world import (
    TEXTS,
    WORLD,
    Outcome,
    evtx_file,
    expected,
    read,
    tarred,
    zipped,
)
from tests.support.zip_writer import DESCRIPTORS, Written, zip_file

LINES = TEXTS["ndjson"](WORLD[:20]).encode()
OTHERS = TEXTS["ndjson"](WORLD[20:50]).encode()
FIRST = Written("first.ndjson", LINES)
SECOND = Written("second.ndjson", OTHERS)


def reason(outcome: Outcome) -> str:
    """Return the one thing that is wrong, and is wrong with the input as a whole."""
    (skipped,) = outcome.skipped
    assert skipped.ends_input
    assert skipped.could_matter
    return skipped.reason


def zip_64() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(LINES)
    content = file.getvalue()
    end = content.rindex(b"PK\x05\x06")
    count, size, place = 1, end - content.index(b"PK\x01\x02"), content.index(b"PK\x01\x02")
    fields = (44, 45, 45, 0, 0, count, count, size, place)
    end_64 = b"PK\x06\x06" + b"".join(
        number.to_bytes(width, "little")
        for number, width in zip(fields, (8, 2, 2, 4, 4, 8, 8, 8, 8), strict=True)
    )
    locator = b"PK\x06\x07" + bytes(4) + end.to_bytes(8, "little") + b"\1\0\0\0"
    last = b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2)
    return content[:end] + end_64 + locator + last


def packed_by(method: int, *, seekable: bool = True) -> bytes:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return seekable

        def tell(self) -> int:
            if not seekable:
                raise OSError
            return super().tell()

    file = Pipe()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("logs/", b"")
        archive.writestr("a", LINES)
        archive.writestr("empty", b"")
        archive.comment = b"of last week"
    return file.getvalue()


SOUND = {
    "one member": zip_file(FIRST),
    "stored": zip_file(Written("a", LINES, stored=True)),
    "a comment": zip_file(FIRST, comment=b"445 8.8.8.8"),
    "to be split": zip_file(FIRST, before=b"PK\x07\x08"),
    "to be split, not split": zip_file(FIRST, before=b"PK00"),
    "zip64": zip_64(),
    "padding between": zip_file(FIRST) + bytes(600),
    "no name": zip_file(Written("", LINES)),
    "an empty folder that is packed": zip_file(Written("logs/", b""), FIRST),
    **{
        f"a descriptor {kind}": zip_file(Written("a", LINES, descriptor=kind), Written("b", b""))
        for kind in DESCRIPTORS
    },
    **{
        f"zipfile, method {method}{'' if seekable else ', into a pipe'}": packed_by(
            method, seekable=seekable
        )
        for method in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
            zipfile.ZIP_BZIP2,
            zipfile.ZIP_LZMA,
        )
        for seekable in (True, False)
    },
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_a_sound_zip_of_any_writer_is_read_whole(content: bytes) -> None:
    outcome = read(content)
    assert outcome.skipped == ()
    assert outcome.seen == expected()[:20]


JOINED = {
    "two": zip_file(FIRST) + zip_file(SECOND),
    "two, places counted from the start": zip_file(SECOND, before=zip_file(FIRST)),
    "with padding": zip_file(FIRST) + bytes(512) + zip_file(SECOND) + bytes(512),
    "with comments": zip_file(FIRST, comment=b"one") + zip_file(SECOND, comment=b"two"),
    "with an empty one": zip_file(FIRST) + zip_file() + zip_file(SECOND),
    "with a descriptor": zip_file(Written("a", LINES, descriptor="with a mark")) + zip_file(SECOND),
    "behind zip64": zip_64() + zip_file(SECOND),
}


@pytest.mark.parametrize("content", JOINED.values(), ids=JOINED)
def test_zips_that_were_joined_are_all_read(content: bytes) -> None:
    outcome = read(content)
    assert outcome.skipped == ()
    assert sorted(outcome.seen) == sorted(expected()[:50])


def test_many_joined_zips_are_read_without_end_of_the_stack() -> None:
    outcome = read(zip_file(Written("a", b'{"a":1}\n')) * 3_000)
    assert outcome.skipped == ()
    assert len(outcome.documents) == 3_000


def test_joined_zips_are_bounded_like_members() -> None:
    outcome = read(zip_file() * 30, Limits(archive_members=10))
    assert "more than 10 members" in reason(outcome)


UNREAD = {
    "text behind the list": (zip_file(FIRST) + OTHERS, f"{len(OTHERS)} bytes from byte"),
    "one byte behind the list": (zip_file(FIRST) + b"x", "1 bytes from byte"),
    "a cut zip behind": (zip_file(FIRST) + zip_file(SECOND)[:-30], "second.ndjson ("),
    "a cut zip before": (zip_file(SECOND)[:-30] + zip_file(FIRST), "second.ndjson ("),
    "a member that is not listed": (
        zip_file(Written("hidden", OTHERS, listed=False), FIRST),
        "hidden (",
    ),
    "one at the end": (zip_file(FIRST, Written("hidden", OTHERS, listed=False)), "hidden ("),
    "text between the members": (
        zip_file(FIRST, before=zip_file(SECOND)[:-30] + LINES),
        "second.ndjson (",
    ),
    "no member at all": (zip_file(Written("a", LINES, listed=False)), "a ("),
    "a descriptor that says otherwise": (
        zip_file(Written("a", LINES, descriptor="with a mark")).replace(
            b"PK\x07\x08", b"PK\x07\x09"
        ),
        "16 bytes from byte",
    ),
}


@pytest.mark.parametrize(("content", "named"), UNREAD.values(), ids=UNREAD)
def test_what_no_member_accounts_for_is_named_after_what_was_read(
    content: bytes, named: str
) -> None:
    outcome = read(content)
    assert named in reason(outcome)
    assert "list of members" in reason(outcome)
    assert outcome.skipped[0].origin.path == "input"
    assert outcome.seen == ([] if named == "a (" else expected()[:20])


def test_of_many_such_places_some_are_named() -> None:
    hidden = [Written(f"hidden{n}", b"x", listed=False) for n in range(20)]
    mixed = [member for one in hidden for member in (one, FIRST)]
    assert "and 17 more" in reason(read(zip_file(*mixed)))


def test_a_folder_that_has_content_is_read() -> None:
    outcome = read(zip_file(Written("logs/", LINES), Written("none/", b"")))
    assert outcome.skipped == ()
    assert outcome.seen == expected()[:20]
    assert [part.path for part in outcome.parts] == ["input!logs/"]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        (LINES[:1_000], "1000 in the list of members"),
        (LINES + b" ", f"{len(LINES) + 1} in the list of members"),
        (LINES[:-1] + b" ", "checksum is wrong"),
        (b"", "0 in the list of members"),
    ],
)
def test_a_member_that_is_not_as_long_as_listed_is_read_and_named(
    claimed: bytes, told: str, *, stored: bool
) -> None:
    outcome = read(zip_file(Written("a", LINES, claimed=claimed, stored=stored), SECOND))
    assert told in reason(outcome)
    assert outcome.skipped[0].origin.path == "input!a"
    assert outcome.seen == expected()[:50]


def test_what_follows_the_end_of_a_members_data_is_named() -> None:
    for behind in (b"x", OTHERS, bytes(70_000)):
        outcome = read(zip_file(Written("a", LINES, behind=behind), SECOND))
        assert "follows the end of its data" in reason(outcome)
        assert outcome.seen == expected()[:50]


def test_a_member_that_is_not_where_it_is_listed_costs_only_itself() -> None:
    content = zip_file(FIRST, SECOND)
    second = content.index(b"PK\x03\x04", 1)
    outcome = read(content[:second] + b"xx" + content[second + 2 :])
    own, archive = outcome.skipped
    assert "not where the list of members says" in own.reason
    assert f"from byte {second} on" in archive.reason
    assert outcome.seen == expected()[:20]


def test_what_is_inside_of_other_layers_is_looked_at_as_well() -> None:
    hidden = zip_file(FIRST) + OTHERS
    for outer in (gzip.compress, lambda inner: zipped({"a.zip": inner, "b": OTHERS})):
        outcome = read(outer(hidden))
        assert f"{len(OTHERS)} bytes" in reason(outcome)
        assert outcome.seen[:20] == expected()[:20]
    inside = {"a.tar": tarred({"b.evtx": evtx_file(WORLD[:20])})}
    assert sorted(read(zipped(inside) + zip_file(SECOND)).seen) == sorted(expected()[:50])


@given(place=st.integers(0, 10**6), inserted=st.binary(min_size=1, max_size=300))
def test_bytes_inserted_anywhere_change_nothing_in_silence(place: int, inserted: bytes) -> None:
    whole = zip_file(FIRST, SECOND)
    place %= len(whole) + 1
    outcome = read(whole[:place] + inserted + whole[place:])
    told = bool(outcome.skipped) or "" in outcome.containers
    assert told or outcome.seen == expected()[:50]
