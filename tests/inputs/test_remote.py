"""Objects behind URLs: found, read as streams, and no secret shown."""

import gzip
import io
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smbrare.detection.report import Report
from smbrare.inputs import remote
from smbrare.inputs.discovery import Input, discover
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning
from smbrare.scanning.gathering import gather
from tests.conftest import FIXTURES, Run
from tests.support.object_store import SECRET, ObjectStore, Web, free_port, object_store, web_server
from tests.support.reports import printed, report

for _library in ("s3fs", "moto", "aiohttp"):
    pytest.importorskip(_library)
fsspec = pytest.importorskip("fsspec")

# One store for all of them, where tests are spread over processes by groups.
pytestmark = pytest.mark.xdist_group("remote")

SAMPLE = (FIXTURES / "sample.ndjson").read_bytes()
WEEK = {path.name: path.read_bytes() for path in sorted((FIXTURES / "week").glob("*.ndjson"))}


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        system = running.system()
        system.mkdir("logs")
        for name, content in WEEK.items():
            system.pipe(f"logs/week/{name}", content)
        system.pipe("logs/weekend/other.ndjson", SAMPLE)
        system.pipe("logs/packed/sample.ndjson.gz", gzip.compress(SAMPLE))
        system.pipe("logs/packed/sample.zip", zipped(SAMPLE))
        system.pipe("logs/packed/odd [1]::s3:%2f=?.ndjson", SAMPLE)
        # What the console stores where a user makes a folder.
        system.call_s3("put_object", Bucket="logs", Key="week/", Body=b"")
        yield running


def zipped(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("sample.ndjson", content)
    return held.getvalue()


def findings(made: Report) -> list[dict[str, Any]]:
    """Return what was found, without where it was read."""
    return [placeless(line) for line in printed("ndjson", made).splitlines()]


def placeless(line: str) -> dict[str, Any]:
    """Return a finding out of NDJSON, without where it was read."""
    finding: dict[str, Any] = json.loads(line)
    finding.pop("log", None)
    return finding


def paths(*given: str) -> list[str]:
    found = list(discover(given))
    assert not any(isinstance(each, Skipped) for each in found)
    return [each.path for each in found if isinstance(each, Input)]


def week(prefix: str) -> list[str]:
    return [f"{prefix}{name}" for name in WEEK]


@pytest.mark.usefixtures("store")
def test_a_prefix_is_everything_under_it_sorted_and_nothing_beside_it() -> None:
    assert paths("s3://logs/week/") == week("s3://logs/week/")
    assert paths("s3://logs/week") == week("s3://logs/week/")
    assert paths("s3://logs/") == paths("s3://logs")
    assert "s3://logs/weekend/other.ndjson" in paths("s3://logs")


@pytest.mark.usefixtures("store")
def test_a_pattern_is_what_it_matches() -> None:
    assert paths("s3://logs/week/*.ndjson") == week("s3://logs/week/")
    assert paths("s3://logs/week*") == [
        *week("s3://logs/week/"),
        "s3://logs/weekend/other.ndjson",
    ]
    assert paths("s3://logs/**/oth?r.ndjson") == ["s3://logs/weekend/other.ndjson"]


@pytest.mark.usefixtures("store")
def test_an_object_that_is_meant_twice_is_read_once_and_counts_as_named() -> None:
    first = week("s3://logs/week/")[0]
    found = [each for each in discover(["s3://logs/week/", first]) if isinstance(each, Input)]
    assert [(each.path, each.named) for each in found] == [
        (name, name == first) for name in week("s3://logs/week/")
    ]


@pytest.mark.usefixtures("store")
def test_a_name_with_every_odd_character_is_that_object() -> None:
    name = "s3://logs/packed/odd [1]::s3:%2f=?.ndjson"
    assert paths(name) == [name]
    assert findings(report(name)) == findings(report(FIXTURES / "sample.ndjson"))


@pytest.mark.usefixtures("store")
def test_objects_read_by_two_processes_give_the_findings_of_the_same_files(run: Run) -> None:
    lines = run("scan", "s3://logs/week/", "-f", "ndjson", "-j", "2").out.splitlines()
    locations = {json.loads(line)["log"]["file"]["path"] for line in lines}
    assert locations <= set(week("s3://logs/week/"))
    here = findings(report(FIXTURES / "week"))
    assert [placeless(line) for line in lines] == here
    assert len(here) > 1


@pytest.mark.usefixtures("store")
def test_packed_objects_are_unpacked_as_they_are_read() -> None:
    partial = gather(list(discover(["s3://logs/packed/"])), ReadOptions(), lambda _: None)
    assert [(survey.container, survey.records, survey.cut) for survey in partial.surveys] == [
        ("ndjson", 37, False),
        ("gzip ndjson", 37, False),
        ("zip ndjson", 37, False),
    ]


@pytest.mark.usefixtures("store")
def test_inspect_replay_and_learn_read_objects_too(run: Run, tmp_path: Path) -> None:
    name = "s3://logs/packed/sample.ndjson.gz"
    inspected = run("inspect", name)
    assert name in inspected.out
    assert "gzip ndjson" in inspected.out
    assert len(run("replay", name, "-f", "ndjson", "--inferred").out.splitlines()) > 2
    learnt = run("baseline", "learn", tmp_path / "learnt.db", "s3://logs/week/", "-f", "ndjson")
    assert (
        learnt.out
        == run("baseline", "learn", tmp_path / "here.db", FIXTURES / "week", "-f", "ndjson").out
    )


@pytest.mark.usefixtures("store")
def test_an_object_that_fails_is_named_and_the_others_are_read(run: Run) -> None:
    gone = "s3://logs/week/gone.ndjson"
    result = run("scan", gone, "s3://logs/week/", "-q")
    assert result.code == 3
    assert f"cannot read {gone}: no such object" in result.err
    assert findings(report(gone, "s3://logs/week/")) == findings(report(FIXTURES / "week"))
    assert report("s3://no-such-bucket/").exit_code == 3


def test_an_object_that_vanishes_after_it_was_listed_is_named(store: ObjectStore) -> None:
    system = store.system()
    system.pipe("logs/short/a.ndjson", SAMPLE)
    system.pipe("logs/short/b.ndjson", SAMPLE)
    found = list(discover(["s3://logs/short/"]))
    system.rm("logs/short/a.ndjson")
    first, second = gather(found, ReadOptions(), lambda _: None).surveys
    assert (first.path, first.cut, first.records) == ("s3://logs/short/a.ndjson", True, 0)
    assert (second.cut, second.records) == (False, 37)


@pytest.mark.parametrize("trouble", [403, 404, 500, 503, "breaks off", "falls silent"])
def test_an_object_that_its_store_fails_to_give_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, run: Run, trouble: int | str
) -> None:
    names = ["week/a.ndjson", "week/b.ndjson", "week/c.ndjson"]
    listed = "".join(
        f"<Contents><Key>{name}</Key><Size>{len(SAMPLE)}</Size></Contents>" for name in names
    )
    page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
    web = Web({"/logs": page.encode()} | {f"/logs/{name}": SAMPLE for name in names})
    second, go_on = "/logs/week/b.ndjson", threading.Event()

    def hold(path: str) -> None:
        if path == second:
            go_on.wait(60)

    if isinstance(trouble, int):
        web.statuses[second] = trouble
    elif trouble == "breaks off":
        web.failing[second] = 99
    else:
        web.before = hold
    with web_server(web) as address:
        config = {"read_timeout": 0.1, "retries": {"total_max_attempts": 1}}
        options = {"key": "testing", "secret": SECRET, "endpoint_url": address}
        monkeypatch.setitem(fsspec.config.conf, "s3", {**options, "config_kwargs": config})
        monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
        result = run("scan", "s3://logs/week/", "-f", "ndjson", "-q")
        go_on.set()
    assert (result.code, len(result.out.splitlines())) == (3, 3)
    told, *more = result.err.splitlines()
    assert "cannot read s3://logs/week/b.ndjson: " in told
    assert more == []


@pytest.mark.usefixtures("store")
def test_ranges_of_an_object_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(discover(["s3://logs/weekend/other.ndjson"]))
    whole = gather(found, ReadOptions(), lambda _: None)
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "RANGE_BYTES", 5_000)
    assert len(list(planning.plan(found[0], ReadOptions()))) > 4
    ranges = gather(found, ReadOptions(), lambda _: None)
    contacts, wanted = (
        sorted((each.key, each.first, each.last, each.events, each.told) for each in found)
        for found in (ranges.sightings.contacts(), whole.sightings.contacts())
    )
    assert contacts == wanted
    assert [survey.records for survey in ranges.surveys] == [37]


def test_no_secret_of_the_environment_is_shown(store: ObjectStore, run_process: Run) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for environment in (store.environment, {"AWS_ENDPOINT_URL": nobody, "AWS_MAX_ATTEMPTS": "1"}):
        result = run_process("scan", "s3://logs/week/", "-v", "-f", "json", env=environment)
        assert SECRET not in result.out + result.err
    assert result.code == 3
    assert "could not connect" in result.err


# Web servers


@pytest.mark.parametrize("parts", [True, False])
def test_a_web_server_is_read_whether_it_gives_parts_or_not(*, parts: bool) -> None:
    large = SAMPLE * 20
    web = Web({"/a.ndjson": large, "/a.zip": zipped(SAMPLE)}, parts=parts)
    with web_server(web) as address:
        made = report(f"{address}/a.ndjson", f"{address}/a.zip")
    assert [(survey.records, survey.skipped) for survey in made.inputs] == [(37 * 20, 0), (37, 0)]
    assert made.exit_code == 1


def test_an_index_page_is_a_prefix() -> None:
    links = ("a.ndjson", "deep/", "/other.ndjson", "?C=N;O=D", "../")
    page = "".join(f'<a href="{link}">a link</a>' for link in links).encode()
    deep = b'<a href="b.ndjson">b</a>'
    web = Web(
        {"/logs/": page, "/logs/a.ndjson": SAMPLE, "/logs/deep/": deep}
        | {"/logs/deep/b.ndjson": SAMPLE, "/other.ndjson": SAMPLE}
    )
    with web_server(web) as address:
        assert paths(f"{address}/logs/") == [
            f"{address}/logs/a.ndjson",
            f"{address}/logs/deep/b.ndjson",
        ]
        assert paths(f"{address}/logs/*.ndjson") == [f"{address}/logs/a.ndjson"]
        assert report(f"{address}/logs/").exit_code == 1


def test_a_user_a_password_and_a_query_are_used_and_never_shown(run: Run) -> None:
    web = Web({"/a.ndjson": SAMPLE + b"{broken}\n"})
    with web_server(web) as address:
        place = address.removeprefix("http://")
        given = f"http://analyst:{SECRET}@{place}/a.ndjson?signature={SECRET}"
        results = [
            run("scan", given, "-v", "-f", "json"),
            run("inspect", given),
            run("scan", given.replace("a.ndjson", "gone"), "-v"),
        ]
    assert any(f"signature={SECRET}" in asked for asked in web.asked)
    assert [result.code for result in results] == [1, 0, 3]
    assert "HTTP status 404" in results[-1].err
    for result in results:
        assert f"{address}/" in result.out + result.err
        assert SECRET not in result.out + result.err


def test_queries_that_are_not_shown_do_not_make_two_objects_one() -> None:
    with web_server(Web({"/a": SAMPLE})) as address:
        assert paths(f"{address}/a?key=1", f"{address}/a?key=2", f"{address}/a?key=1") == [
            f"{address}/a?...",
            f"{address}/a?... (2)",
        ]


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    web = Web({"/a.ndjson": SAMPLE})
    with web_server(web) as address:
        found = list(discover([f"{address}/a.ndjson"]))

        def break_off_later(path: str) -> None:
            if len(web.asked) > 3:
                web.failing.setdefault(path, 1)

        web.before = break_off_later
        (survey,) = gather(found, ReadOptions(), lambda _: None).surveys
    assert web.failing == {"/a.ndjson": 0}
    assert (survey.records, survey.cut) == (37, False)


def test_an_answer_that_always_breaks_off_is_named_and_the_others_are_read() -> None:
    web = Web({"/a.ndjson": SAMPLE, "/b.ndjson": SAMPLE}, failing={"/a.ndjson": 99})
    with web_server(web) as address:
        made = report(f"{address}/a.ndjson", f"{address}/b.ndjson")
    assert made.exit_code == 3
    assert [(survey.path, survey.cut) for survey in made.inputs] == [
        (f"{address}/a.ndjson", True),
        (f"{address}/b.ndjson", False),
    ]
    assert len(made.findings) == 3


# What is not installed, and what is not loaded


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("s3://bucket/key", "s3fs", "s3"),
        ("gs://bucket/key", "gcsfs", "gcs"),
        ("abfs://container@account.dfs.core.windows.net/key", "adlfs", "azure"),
        ("https://server/key?token=secret", "aiohttp", "http"),
        ("s3://bucket/key", "fsspec", "s3"),
    ],
)
def test_a_missing_library_is_wrong_usage_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, missing: str,
    extra: str,
) -> None:  # fmt: skip
    from smbrare.cli import run as run_here  # noqa: PLC0415

    for name in {missing, "gcsfs", "adlfs"}:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", ["smbrare", "scan", url])
    assert run_here() == 2
    told = capsys.readouterr().err
    assert f"needs {missing}: " in told
    assert f'install "smbrare[{extra}]' in told
    assert "secret" not in told


def test_a_scan_of_files_loads_nothing_of_it() -> None:
    heavy = ("fsspec", "asyncio", "aiohttp", "s3fs", "distributed", "dask", "logging")
    program = (
        "import sys\nfrom smbrare.cli import run\n"
        f"sys.argv = ['smbrare', 'scan', {str(FIXTURES / 'sample.ndjson')!r}, '-f', 'ndjson']\n"
        f"code = run()\nassert not set({heavy!r}) & sys.modules.keys()\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr.count(b"Error")) == (1, 0)


def test_other_schemes_are_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ftp:").mkdir()
    (tmp_path / "ftp:" / "a.ndjson").write_bytes(SAMPLE)
    assert paths("ftp://a.ndjson") == ["ftp://a.ndjson"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:word@host/a?b=c#d", "https://host/a?..."),
        ("https://token@host/a", "https://host/a"),
        ("abfs://container@account.dfs.core.windows.net/a", None),
        ("abfs://container@account.dfs.core.windows.net/a?sig=x&b", "abfs://container@account.dfs.core.windows.net/a?..."),
        ("s3://key:word@bucket/a", "s3://bucket/a"),
        ("s3://bucket/20??/a*", None),
    ],
)  # fmt: skip
def test_what_may_be_secret_in_a_url_is_not_shown(url: str, shown: str | None) -> None:
    assert remote.shown(url) == (shown or url)
    error = RuntimeError(f"cannot open '{url}': refused")
    assert remote.explained(error) == f"cannot open '{shown or url}': refused"
