"""A web server's answers lead nowhere else, and one that fails costs no other object."""

import posixpath
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest

from smbrare.inputs import web as web_module
from smbrare.inputs.discovery import Input, discover
from smbrare.records.event import Skipped
from tests.conftest import FIXTURES, Run
from tests.support.object_store import Web, web_server
from tests.support.reports import report

pytest.importorskip("aiohttp")
fsspec = pytest.importorskip("fsspec")

SAMPLE = (FIXTURES / "sample.ndjson").read_bytes()
OTHER = "{other}"
"""Stands for the host and port of another server."""

LINKS = [
    f"http://{OTHER}/logs/a.ndjson",
    f"//{OTHER}/logs/a.ndjson",
    f"https://{OTHER}/logs/a.ndjson",
    f"http://{{own}}@{OTHER}/logs/a.ndjson",
    f"http://{{own}}\\@{OTHER}/logs/a.ndjson",
    f"HTTP:\n//{OTHER}/logs/a.ndjson",
    f"\\\\{OTHER}\\logs\\a.ndjson",
    "ftp://{own}/logs/a.ndjson",
    "https://{own}/logs/a.ndjson",
    "file:///logs/a.ndjson",
    "mailto:a@example.com",
    "javascript:alert(1)",
    "http://[/logs/a.ndjson",
    "..",
    "../",
    "../secret.ndjson",
    "/secret.ndjson",
    "/logsecret.ndjson",
    "a/../../secret.ndjson",
    "./.././secret.ndjson",
    "%2e%2e/secret.ndjson",
    "%2E./secret.ndjson",
    "..%2fsecret.ndjson",
    "%2e%2e%2fsecret.ndjson",
    "%252e%252e/secret.ndjson",
    "..;/secret.ndjson",
    "..;a=b/secret.ndjson",
    "..\\secret.ndjson",
    "..%5csecret.ndjson",
    ".\t./secret.ndjson",
    "&#46;&#46;/secret.ndjson",
    "/logs/../secret.ndjson",
    "/logs/%2e%2e/secret.ndjson",
    "?C=N;O=D",
    "a.ndjson?C=N",
    "/?a",
]


@contextmanager
def two_servers(web: Web) -> Iterator[tuple[str, Web, str]]:
    """Run a web server and another one that has the same, and give both addresses."""
    other = Web(web.files)
    with web_server(web) as address, web_server(other) as elsewhere:
        yield address, other, elsewhere


def page(links: list[str], own: str, other: str) -> bytes:
    filled = (link.replace("{own}", own).replace(OTHER, other) for link in links)
    return "".join(f'<a class=x href="{link}">x</a>\n' for link in filled).encode()


def leads_out(asked: str) -> bool:
    """Return whether any server could take a request for one of what lies outside of ``/logs/``."""
    path = asked.partition(" ")[2]
    while (plain := unquote(path)) != path:
        path = plain
    parts = [part.partition(";")[0].strip() for part in path.replace("\\", "/").split("/")]
    return not f"{posixpath.normpath('/'.join(parts))}/".startswith("/logs/") or "?" in path


def test_links_that_lead_out_of_the_prefix_are_never_asked_for() -> None:
    web = Web({"/logs/a.ndjson": SAMPLE, "/secret.ndjson": SAMPLE, "/logsecret.ndjson": SAMPLE})
    with two_servers(web) as (address, other, elsewhere):
        own, there = (each.removeprefix("http://") for each in (address, elsewhere))
        web.files["/logs/"] = page([*LINKS, "a.ndjson"], own, there)
        for given in (f"{address}/logs/", f"{address}/logs/*", f"{address}/logs/**"):
            assert [each.path for each in discover([given]) if isinstance(each, Input)] == [
                f"{address}/logs/a.ndjson"
            ]
    assert other.asked == []
    assert [asked for asked in web.asked if leads_out(asked)] == []


def test_no_link_made_of_such_pieces_leads_out() -> None:
    pieces = ["..", "%2e", ".", "/", "%2F", "%25", "2e", "\\", "%5c", ";", "//{other}", "@", "logs"]
    pieces += ["http:", "{own}", "a", " ", "\t", "?", "#", ":", "[", "&#x2f;", "\x00"]
    chance = random.Random(20)
    made = ["".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(400)]
    web = Web({})
    with two_servers(web) as (address, other, elsewhere):
        own, there = (each.removeprefix("http://") for each in (address, elsewhere))
        web.files["/logs/"] = page(made, own, there)
        found = list(discover([f"{address}/logs/"]))
    assert len(found) > 20
    assert other.asked == []
    assert [asked for asked in web.asked if leads_out(asked)] == []


def test_links_of_every_kind_below_the_prefix_are_followed() -> None:
    web = Web(
        {f"/logs/{name}.ndjson": SAMPLE for name in "abcdef"}
        | {"/logs/x/": b"<A HREF = y/>y</A>", "/logs/x/y/": b"<a\nhref='../../f.ndjson'>"}
        | {"/logs/two%20words..ndjson": SAMPLE}
    )
    with web_server(web) as address:
        host = address.removeprefix("http://")
        web.files["/logs/"] = (
            f"<a href=a.ndjson><a href='./b.ndjson#end'><a id=1 href=\"/logs/c.ndjson\">"
            f'<a href="{address}/logs/d.ndjson"><a href="//{host}/logs/e.ndjson"><a href="x/">'
            '<a href="two words..ndjson"><a href="."><a name="no link"><abbr href="g">'
        ).encode()
        given = f"http://analyst:word@{host}/logs/"
        found = [each for each in discover([given]) if isinstance(each, Input)]
        assert [each.path for each in found] == [
            *(f"{address}/logs/{name}.ndjson" for name in "abcdef"),
            f"{address}/logs/two%20words..ndjson",
        ]
        assert all(each.location.startswith(given) for each in found)
        (made,) = {len(report(each.location).findings) for each in found}
    assert made == 3


def test_a_pattern_asks_for_no_page_that_it_needs_not() -> None:
    web = Web(
        {"/": b'<a href="a1/"><a href="b1/">', "/a1/": b'<a href="x.ndjson"><a href="deep/">'}
        | {"/a1/deep/": b'<a href="y.ndjson">', "/b1/": b'<a href="x.ndjson">'}
        | dict.fromkeys(["/a1/x.ndjson", "/a1/deep/y.ndjson", "/b1/x.ndjson"], SAMPLE)
    )

    def pages_for(pattern: str) -> tuple[list[str], list[str]]:
        web.asked.clear()
        found = [each.path for each in discover([f"{address}/{pattern}"])]  # type: ignore[union-attr]
        pages = [asked[4:] for asked in web.asked if asked.startswith("GET") and asked[-1] == "/"]
        return sorted(pages), [path.removeprefix(address) for path in found]

    with web_server(web) as address:
        every = ["/a1/deep/y.ndjson", "/a1/x.ndjson", "/b1/x.ndjson"]
        assert pages_for("*/x.ndjson") == (["/", "/a1/", "/b1/"], every[1:])
        assert pages_for("a*") == (["/", "/a1/", "/a1/deep/"], every[:2])
        assert pages_for("a1/[x-z]*") == (["/a1/"], every[1:2])
        assert pages_for("**/*.ndjson") == (["/", "/a1/", "/a1/deep/", "/b1/"], every)


def test_an_index_without_end_ends() -> None:
    web = Web({"/logs/a.ndjson": SAMPLE})

    def grow(path: str) -> None:
        web.files[f"{path}again/"] = b'<a href="again/">'

    web.files["/logs/"], web.before = b'<a href="again/"><a href="a.ndjson">', grow
    with web_server(web) as address:
        first, second = discover([f"{address}/logs/"])
    assert isinstance(first, Skipped)
    assert first.reason == "more than 100 folders inside one another"
    assert second.path.endswith("/logs/a.ndjson")  # type: ignore[union-attr]


# Redirects

INDEX = b'<a href="a.ndjson"><a href="b.ndjson"><a href="c/">'


@pytest.mark.parametrize(
    "where",
    [
        "http://{}/",
        "//{}/",
        "HTTP://a@{}/",
        "http://localhost/",
        "https://{own}/",
        "http:///",
        "ftp://{}/",
    ],
)
@pytest.mark.parametrize("what", ["/logs/b.ndjson", "/logs/c/", "/other/", "/other.ndjson"])
def test_a_redirect_to_another_origin_is_refused(run: Run, what: str, where: str) -> None:
    web = Web({"/logs/a.ndjson": SAMPLE, "/logs/b.ndjson": b"", "/logs/": INDEX, "/logs/c/": b""})
    with two_servers(web) as (address, other, elsewhere):
        own, there = (each.removeprefix("http://") for each in (address, elsewhere))
        web.moved[what] = where.format(there, own=own) + "logs/a.ndjson"
        given = [f"{address}/logs/"] + [f"{address}{what}"] * what.startswith("/other")
        result = run("scan", *given, "-f", "ndjson", "--no-baseline", "-q")
    assert result.code == 3
    assert len(result.out.splitlines()) == 3
    told, *more = result.err.splitlines()
    assert more == [], result.err
    assert f"cannot read {address}{what}: " in told
    assert "redirected to another origin, " in told or where == "http:///"
    assert other.asked == []


def test_a_redirect_to_another_origin_is_followed_on_request(run_process: Run) -> None:
    web = Web({"/logs/": INDEX, "/logs/a.ndjson": SAMPLE})
    with two_servers(web) as (address, other, elsewhere):
        web.moved = {
            "/logs/b.ndjson": f"{elsewhere}/logs/a.ndjson",
            "/logs/c/": f"{elsewhere}/logs/",
        }
        for asked_for, code in (("false", 3), ("true", 1)):
            result = run_process(
                "scan", f"{address}/logs/b.ndjson", "-q",
                env={"FSSPEC_HTTP_ALLOW_REDIRECTS": asked_for},
            )  # fmt: skip
            assert result.code == code
            assert bool(other.asked) == (asked_for == "true")


def test_a_redirect_within_the_origin_is_followed() -> None:
    web = Web({"/logs/": INDEX, "/logs/a.ndjson": SAMPLE, "/store/1": SAMPLE, "/logs/d/": b""})
    web.moved = {"/logs/b.ndjson": "../store/1", "/logs/c/": "/logs/d/", "/logs/": "/logs/index/"}
    web.files |= {
        "/logs/index/": b'<a href="../a.ndjson"><a href="/logs/b.ndjson"><a href="../c/">'
    }
    web.files |= {"/logs/d/": b'<a href="e.ndjson">', "/logs/d/e.ndjson": SAMPLE}
    with web_server(web) as address:
        made = report(f"{address}/logs/", f"{address}/logs/b.ndjson")
        assert [(each.path, each.records) for each in made.inputs] == [
            (f"{address}/logs/{name}.ndjson", 37) for name in ("a", "b", "d/e")
        ]


@pytest.mark.parametrize(
    "place", ["/store/", "/", "/logs/../store/", "/logs/%2e%2e/store/", "/logs"]
)
def test_a_redirect_of_an_index_out_of_the_prefix_is_refused(place: str) -> None:
    web = Web({"/logs/a.ndjson": SAMPLE, "/logs/": INDEX, "/logs/b.ndjson": SAMPLE})
    web.files |= dict.fromkeys(["/store/", "/", "/logs"], b'<a href="/logs/d.ndjson">')
    web.moved = {"/logs/c/": place}
    with web_server(web) as address:
        made = report(f"{address}/logs/")
    assert [each.records for each in made.inputs] == [37, 37, 0]
    assert made.inputs[-1].located[0].reason == (
        "the index page redirects to a place that is not below the URL"
    )
    assert not any("d.ndjson" in asked for asked in web.asked)


# Failures


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 503])
@pytest.mark.parametrize("what", ["/logs/b.ndjson", "/logs/c/"])
def test_an_object_or_page_that_is_refused_costs_no_other(run: Run, what: str, status: int) -> None:
    web = Web({"/logs/a.ndjson": SAMPLE, "/logs/": INDEX, "/logs/b.ndjson": b"", "/logs/c/": b""})
    web.statuses[what] = status
    with web_server(web) as address:
        result = run("scan", f"{address}/logs/", "-f", "ndjson", "--no-baseline", "-q")
    assert (result.code, len(result.out.splitlines())) == (3, 3)
    told, *more = result.err.splitlines()
    assert more == [], result.err
    assert f"cannot read {address}{what}: the server answered with HTTP status {status}" in told


@pytest.mark.parametrize("moment", ["head", "body", "page"])
def test_a_server_that_falls_silent_costs_no_other_object(
    monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(web_module, "_SECONDS_OF_SILENCE", 0.3)
    # A session is kept for as long as its process lives.
    fsspec.get_filesystem_class("http").clear_instance_cache()
    web = Web(
        {"/logs/a.ndjson": SAMPLE, "/logs/": INDEX, "/logs/b.ndjson": SAMPLE, "/logs/c/": b""}
    )
    silent, go_on = "/logs/c/" if moment == "page" else "/logs/b.ndjson", threading.Event()

    def hold(path: str) -> None:
        if path == silent:
            go_on.wait(30)

    web.before = hold
    if moment == "head":
        web.before_head = hold
    with web_server(web) as address:
        try:
            made = report(f"{address}/logs/")
        finally:
            go_on.set()
    assert made.exit_code == 3
    assert {each.path.removeprefix(address): each.records for each in made.inputs}[silent] == 0
    assert len(made.findings) == 3
