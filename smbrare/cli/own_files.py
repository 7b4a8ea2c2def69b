"""Keeps a run from replacing what it reads, but for what an earlier run has put there."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from smbrare.baseline.location import beside, locate
from smbrare.cli import configuration, writing
from smbrare.cli.parameters import BaselineName, FileName
from smbrare.errors import OutputError, reason_of
from smbrare.inputs.discovery import STANDARD_INPUT, Input, discover
from smbrare.limits import KIB
from smbrare.records.event import Skipped
from smbrare.rule import predicate
from smbrare.sources.alerts import is_alert
from smbrare.text import name_from, visible

_HEAD_BYTES = 4 * KIB
_COLOR = re.compile(rb"\x1b\[[0-9;]*m")
_TEXTS = re.compile(
    rb'<!doctype html>\s[^>]*>\s<head>\s<meta charset="utf-8">\s<meta name="generator" '
    rb'content="smbrare">'
    rb"|(?:Destination| +#  First \(UTC\)) .*\n|(?:!{1,3}|\.|)\s+1  [0-9a-f.:]+ .*\n"
)
"""How HTML and tables of findings begin."""
_COLUMN = b"smbrare.id"
_RULE_PAGE = predicate.RULE_URL.rpartition("/")[2].encode()


def check_output(context: click.Context) -> None:
    """Make sure before a command runs that its output can be written, and is nothing it reads.

    Raises:
        OutputError: If not.
    """
    output = context.params.get("output")
    if isinstance(output, Path):
        writing.check(output, _files_read(context))


def _files_read(context: click.Context) -> Iterator[str | Path]:
    """Yield the files that the options of a command name."""
    if file := configuration.file_of(context):
        yield file
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        for each in value if isinstance(value, tuple) else (value,):
            if each is None or parameter.name == "output":
                continue
            if parameter.name == "paths" and os.path.lexists(each):
                continue  # `inputs_from` asks what it is.
            if isinstance(parameter.type, BaselineName):
                yield from beside(locate(each))
            elif isinstance(parameter.type, FileName | click.Path):
                yield each
                yield str(each).rpartition("#")[0] or each


def inputs_from(options: Mapping[str, Any]) -> list[Input | Skipped]:
    """Return what the paths of a command mean, without its output if an earlier run wrote that.

    Raises:
        OutputError: If the output is one of them, and anything else.
        UsageError: If the libraries for a URL are not installed.
    """
    inputs = list(discover(options["paths"]))
    output: Path | None = options["output"]
    if output is None or not output.is_file():
        return inputs
    status = output.stat()
    ours = [found for found in inputs if isinstance(found, Input) and _is_file(found, status)]
    if ours and not holds_findings(output):
        raise OutputError(f"{output} is read by this run; the output would replace it")
    if ours and not options["quiet"]:
        told = f"smbrare: {ours[0].path}: skipped: an earlier output, which is replaced"
        writing.tell([visible(told)])
    return [found for found in inputs if found not in ours]


def _is_file(found: Input, status: os.stat_result) -> bool:
    try:
        if found.path == STANDARD_INPUT:
            return os.path.samestat(os.fstat(0), status)
        return found.can_be_read_again and os.path.samestat(
            Path(name_from(found.path)).stat(), status
        )
    except OSError:
        return False


def holds_findings(path: Path) -> bool:
    """Return whether a file holds findings in one of the formats, and nothing else, or nothing.

    Raises:
        OutputError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = _COLOR.sub(b"", file.read(_HEAD_BYTES))
            if not head.startswith(b"{"):
                return not head or _is_text_of_findings(head)
            file.seek(0)
            if head.startswith((b'{"@timestamp":', b'{"event":')):
                return all(is_alert(orjson.loads(line)) for line in file)
            document = orjson.loads(file.read())
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason_of(error)}") from None
    except (ValueError, TypeError):
        return False
    return bool(_names_rule(document))


def _is_text_of_findings(head: bytes) -> bool:
    """Return whether a text that is no JSON begins as findings in CSV, Markdown, HTML or a table.

    Others write tables with a column @timestamp, and tickets: ours name what only ours do.
    """
    if head.startswith((b"@timestamp,", b'"@timestamp",')):
        return _COLUMN in head.partition(b"\n")[0]
    if head.startswith(b"# "):
        return _RULE_PAGE in head
    return _TEXTS.match(head) is not None


def _names_rule(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON document is one of findings, of differences, or of SARIF."""
    try:
        rules = [run["tool"]["driver"]["rules"][0]["guid"] for run in document.get("runs", ())]
        return predicate.RULE_ID in rules or document["rule"]["uuid"] == predicate.RULE_ID
    except (KeyError, IndexError, TypeError, AttributeError):
        return False
