"""``smbrare scan`` for programs and notebooks: the same options, judgement and fields.

Values are converted, checked and completed by the command's own options. Neither variables nor a
configuration file are read, nothing is printed, and nothing but a `KeptBaseline` is written.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import date, datetime
from functools import partial as bind
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import click
from msgspec.structs import replace

from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline as BaselineFile
from smbrare.cli.options import settings_from
from smbrare.cli.parameters import TIME
from smbrare.cli.scan_command import check_enrichment, enriched, scan_command
from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.errors import BaselineError, UsageError
from smbrare.inputs.discovery import discover
from smbrare.outputs.host_context import fields
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.reading import silent
from smbrare.scanning.scan import baseline_settings, judge, learn
from smbrare.scanning.second_pass import with_host_context

PathText: TypeAlias = str | Path


class KeptBaseline:
    """What earlier scans saw; the ``Baseline`` of the package.

    A scan that is given one compares with it. What scans read inside a ``with`` block is added
    at the end of the block, so findings belong in a safe place before it ends: if the block raises,
    the baseline stays as it was, and the next scan finds them again.

    Attributes:
        path: The file; the first block makes it.
    """

    def __init__(self, name: PathText) -> None:
        """Name a baseline.

        Args:
            name: As of ``--baseline``: letters, digits, ``-`` and ``_`` for one in the user's state
                directory; anything else is a path.

        Raises:
            BaselineError: If no file can have that name.
            UsageError: If it is neither a string nor a path.
        """
        if not isinstance(name, str | Path):
            raise UsageError(f"{name!r} is not the name of a baseline")
        self.path = locate(str(name))
        self._to_learn: list[Callable[[], None]] | None = None

    def __enter__(self) -> Self:
        if self._to_learn is not None:
            raise BaselineError(f"{self.path} is kept by a with block already")
        self._to_learn = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        learning, self._to_learn = self._to_learn or [], None
        if kind is None:
            for add in learning:
                add()

    def opened(self, options: ReadOptions) -> BaselineFile:
        """Return the baseline for a scan that reads so; in a block it has to be writable.

        Raises:
            BaselineError: If it cannot be used.
        """
        baseline = BaselineFile(self.path, baseline_settings(options))
        if self._to_learn is not None:
            baseline.check_writable()
        return baseline

    def add_at_end(self, add: Callable[[], None]) -> None:
        """Have what a scan read added at the end of the block; without one it is not."""
        if self._to_learn is not None:
            self._to_learn.append(add)


Baseline = KeptBaseline
"""Its public name."""


def scan(
    paths: PathText | Iterable[PathText],
    *,
    baseline: KeptBaseline | None = None,
    history: str = "7d",
    per_host: bool = False,
    exclude: Iterable[str] = (),
    exclusions: PathText | None = None,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    literal: bool = False,
    time_field: str = "@timestamp",
    input_tz: str = "UTC",
    time_unit: str | None = None,
    strict: bool = False,
    ignore_unknown: bool = False,
    thorough: bool = False,
    context: bool = False,
    geoip: Iterable[PathText] = (),
    intel: Iterable[PathText] = (),
    labels: Iterable[PathText] = (),
    limits: Mapping[str, int | str] | None = None,
    jobs: int | None = 1,
    cluster: str | None = None,
) -> Report:
    """Return what is rare in some files.

    Args:
        paths: Files, folders, patterns and URLs.
        baseline: What earlier scans saw.
        history: How long a destination counts as seen, such as ``36h``; or ``all``.
        per_host: Whether each host's destinations are evaluated separately.
        exclude: Addresses and ranges of destinations that do not count.
        exclusions: TOML file of exclusions with reasons.
        since: Earliest time that is reported, as of ``--since``, or in UTC if it names no zone.
        until: Time before which is reported, likewise.
        literal: Whether no missing field is inferred.
        time_field: ``@timestamp`` or ``event.ingested``.
        input_tz: Time zone of times without one, such as ``Europe/Berlin``.
        time_unit: Unit of times that are plain numbers; None to go by their size.
        strict: Whether any unreadable record gives exit code 3.
        ignore_unknown: Whether unknown content that might hold a match gives no exit code 4.
        thorough: Whether every record of large inputs is parsed as well.
        context: Whether the inputs are read again for accounts, programs and names.
        geoip: MaxMind databases.
        intel: Lists of addresses, ``FILE`` or ``FILE#COLUMN``.
        labels: Published ranges of cloud services, or CSV.
        limits: Changed size limits by name.
        jobs: How many processes read; None to decide by size. More than one need a guarded main
            module (``if __name__ == "__main__":``) where Python starts processes anew.
        cluster: Address of a Dask scheduler.

    Raises:
        UsageError: If an option or a file cannot be used.
        BaselineError: If the baseline cannot be used.
    """
    given = {**locals()}
    given["limits"] = _limit_texts(limits)
    given["baseline"] = _path_of(baseline)
    with click.Context(scan_command) as click_context:
        options = {
            str(option.name): _converted(option, given, click_context)
            for option in scan_command.params
        }
        read_options, criteria = settings_from(options)
    check_enrichment(options)
    kept = None if baseline is None else baseline.opened(read_options)
    inputs = list(discover(options["paths"]))
    partial = gather(inputs, replace(read_options, grain=criteria.grain), silent)
    report = enriched(judge(partial, read_options, criteria, kept), options)
    if context:
        report = with_host_context(
            report, "all", inputs, report.options, lambda _: nullcontext(silent)
        )
    if baseline is not None and kept is not None:
        baseline.add_at_end(bind(learn, criteria, partial, kept))
    return replace(report, judged=tuple(map(_as_written, report.judged)))


def _converted(
    option: click.Parameter, given: Mapping[str, Any], click_context: click.Context
) -> Any:
    """Return the value of one of the command's options, or its default if it was not given."""
    value = given.get(str(option.name))
    if value is None and isinstance(default := option.get_default(click_context), str):
        value = default
    try:
        if option.multiple or option.nargs < 0:
            value = _texts(value, is_required=option.required)
        elif isinstance(option, click.Option) and option.is_flag:
            value = _yes_or_no(value)
        elif isinstance(value, date) and option.type is TIME:
            value = value.isoformat()
        elif value is not None:
            value = str(value) if isinstance(option.type, click.IntRange) else _text(value)
        return option.type_cast_value(click_context, value)
    except click.UsageError as error:
        raise UsageError(f"{option.name}: {error.message}") from None
    except TypeError as error:
        raise UsageError(f"{option.name}: {error}") from None


def _texts(value: Any, *, is_required: bool) -> list[str]:
    if value is None and not is_required:
        return []
    if isinstance(value, str | Path):
        return [_text(value)]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{value!r} is neither a string nor a list of strings")
    return [_text(each) for each in value]


def _text(value: object) -> str:
    if not isinstance(value, str | Path):
        raise TypeError(f"{value!r} is not a string")
    return str(value)


def _yes_or_no(value: object) -> bool:
    if value not in (None, False, True):
        raise TypeError(f"{value!r} is neither True nor False")
    return bool(value)


def _limit_texts(limits: Mapping[str, int | str] | None) -> list[str]:
    if limits is None:
        return []
    if not isinstance(limits, Mapping):
        raise UsageError(f"limits: {limits!r} is not a dictionary of limits by name")
    return [f"{name}={value}" for name, value in limits.items()]


def _path_of(baseline: KeptBaseline | None) -> str | None:
    if baseline is None:
        return None
    if not isinstance(baseline, KeptBaseline):
        raise UsageError(f"baseline: {baseline!r} is not a Baseline, such as Baseline('week.db')")
    return str(baseline.path)


def _as_written(finding: Finding) -> Finding:
    """Return a finding with what outputs add to its fields."""
    plain = finding.fields
    more = {name: value for name, value in fields(finding).items() if name not in plain}
    return replace(finding, extra={**finding.extra, **more}) if more else finding
