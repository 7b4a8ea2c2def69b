"""Every file that the user means is read once, and nothing is opened that should not be."""

import os
import socket
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from smbrare.inputs.discovery import Input, discover
from smbrare.records.event import Skipped

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three files, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("logs/b.json", "logs/a/z.json", "logs/c.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def paths(*given: str | Path) -> list[str]:
    return [item.path for item in discover([*map(str, given)]) if isinstance(item, Input)]


def skipped(*given: str | Path) -> list[Skipped]:
    return [item for item in discover([*map(str, given)]) if isinstance(item, Skipped)]


def test_a_folder_gives_its_files_sorted_and_by_what_it_was_called(folder: Path) -> None:
    names = ["logs/a/z.json", "logs/b.json", "logs/c.json"]
    assert paths("logs") == names
    assert paths("./logs/") == [f"./{name}" for name in names]
    assert paths(folder / "logs") == [str(folder / name) for name in names]


def test_an_input_says_its_size_and_whether_it_was_named(folder: Path) -> None:
    assert folder
    assert list(discover(["logs/b.json", "-", "logs"])) == [
        Input("logs/b.json", named=True, size=11),
        Input("-", named=True, size=None),
        Input("logs/a/z.json", named=False, size=13),
        Input("logs/c.json", named=False, size=11),
    ]


def test_a_file_that_is_named_behind_its_folder_counts_as_named(folder: Path) -> None:
    assert folder
    found = {item.path: item.named for item in discover(["logs", "logs/b.json"])}  # type: ignore[union-attr]
    assert found == {"logs/a/z.json": False, "logs/b.json": True, "logs/c.json": False}


def test_a_pattern_gives_what_it_matches(folder: Path) -> None:
    assert paths("logs/*.json") == ["logs/b.json", "logs/c.json"]
    assert paths("logs/[bx].json") == ["logs/b.json"]
    assert paths("logs/**/*.json") == ["logs/a/z.json", "logs/b.json", "logs/c.json"]
    assert paths(folder / "logs" / "?.json") == [
        str(folder / "logs/b.json"),
        str(folder / "logs/c.json"),
    ]
    assert all(item.named for item in discover(["logs/*.json"]) if isinstance(item, Input))
    assert paths("l*s") == ["logs/a/z.json", "logs/b.json", "logs/c.json"]


def test_a_file_with_the_name_of_standard_input_is_a_file_where_a_pattern_gives_it(
    folder: Path,
) -> None:
    (folder / "-").write_text("x")
    assert paths("./*-") == paths("?") == ["./-"]


def test_a_file_that_has_the_very_name_of_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "[b].json").write_text("x")
    (folder / "b.json").write_text("x")
    assert paths("[b].json") == ["[b].json"]


@pytest.mark.parametrize("given", ["missing.json", "no*thing", "**bad", "a\0b", "logs/b.json/x"])
def test_what_is_not_there_is_skipped_and_named(folder: Path, given: str) -> None:
    assert folder
    (found,) = discover([given])
    assert isinstance(found, Skipped)
    assert found.ends_input
    assert found.could_matter
    assert str(found.origin) == given
    assert found.reason


def test_the_same_file_is_read_once_whatever_it_is_called(folder: Path) -> None:
    names: list[str | Path] = [
        "logs/b.json",
        "./logs/b.json",
        folder / "logs/b.json",
        "logs/a/../b.json",
        "logs",
    ]
    assert paths(*names) == ["logs/b.json", "logs/a/z.json", "logs/c.json"]
    assert paths("-", "-") == ["-"]


@posix
def test_links_to_a_file_are_that_file(folder: Path) -> None:
    (folder / "logs" / "link.json").symlink_to(folder / "logs" / "b.json")
    (folder / "logs" / "hard.json").hardlink_to(folder / "logs" / "b.json")
    assert paths("logs") == ["logs/a/z.json", "logs/b.json", "logs/c.json"]
    assert paths("logs/link.json", "logs/b.json") == ["logs/link.json"]


@posix
def test_a_link_to_a_file_elsewhere_is_followed(folder: Path) -> None:
    (folder / "pod.json").write_text("x")
    (folder / "logs" / "d.json").symlink_to(folder / "pod.json")
    assert "logs/d.json" in paths("logs")


@posix
def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "logs" / "loop").symlink_to(folder / "logs")
    (folder / "logs" / "a" / "up").symlink_to("..")
    (folder / "logs" / "self").symlink_to("self")
    assert paths("logs") == ["logs/a/z.json", "logs/b.json", "logs/c.json"]
    assert paths("logs/**/*.json") == ["logs/a/z.json", "logs/b.json", "logs/c.json"]
    assert [str(item.origin) for item in skipped("logs")] == ["logs/self"]


@posix
def test_a_link_to_a_folder_elsewhere_is_named_and_not_followed(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "x.json").write_text("x")
    (folder / "logs" / "away").symlink_to(folder / "other")
    (folder / "logs" / "dangling").symlink_to(folder / "nothing")
    assert "logs/away/x.json" not in paths("logs")
    away, dangling = skipped("logs")
    assert (str(away.origin), away.could_matter) == ("logs/away", True)
    assert (str(dangling.origin), dangling.could_matter) == ("logs/dangling", False)
    assert paths("logs/away") == ["logs/away/x.json"]


@posix
def test_a_pipe_in_a_folder_is_named_and_not_opened_and_one_that_is_named_is_read(
    folder: Path,
) -> None:
    os.mkfifo(folder / "logs" / "pipe")
    (found,) = skipped("logs")
    assert str(found.origin) == "logs/pipe"
    assert "a pipe" in found.reason
    assert not found.ends_input
    assert list(discover(["logs/pipe"])) == [Input("logs/pipe", named=True, size=None)]


@posix
def test_a_socket_is_never_an_input() -> None:
    # Its path must be short.
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{name}/s")
        assert [item.ends_input for item in skipped(name)] == [False]
        assert [item.ends_input for item in skipped(f"{name}/s")] == [True]
        assert paths(name, f"{name}/s") == []


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read_is_skipped_and_named(folder: Path) -> None:
    (folder / "logs" / "b.json").chmod(0)
    (folder / "logs" / "a").chmod(0)
    try:
        found = skipped("logs")
    finally:
        (folder / "logs" / "a").chmod(stat.S_IRWXU)
    assert [str(item.origin) for item in found] == ["logs/a", "logs/b.json"]
    assert all(item.ends_input and item.could_matter for item in found)


def test_what_the_system_does_not_open_is_skipped_and_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    found = list(discover([str(folder / "logs")]))
    monkeypatch.undo()
    assert [item.reason for item in found if isinstance(item, Skipped)] == ["Permission denied"] * 3
    assert len(found) == 3


def test_a_folder_without_files_is_named_where_the_user_names_it(folder: Path) -> None:
    (folder / "logs" / "empty" / "below").mkdir(parents=True)
    (found,) = skipped("logs/empty", "logs/empty/below", "logs")
    assert (found.origin.path, found.reason) == ("logs/empty", "no file in this folder")
    assert not found.could_matter
    assert skipped("logs/b.json", "logs/c.json", "logs/a", "logs") == []


def test_folders_may_lie_deep(folder: Path) -> None:
    deep = folder / "logs"
    for _ in range(60):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x.json").write_text("x")
    assert len(paths("logs")) == 4
