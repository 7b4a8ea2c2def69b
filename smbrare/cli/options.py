"""Options that mean the same in every command that has them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from msgspec.structs import replace

from smbrare.baseline.location import locate, similar
from smbrare.cli import configuration, exclusion_file, writing
from smbrare.cli.configuration import outranks
from smbrare.cli.parameters import EXCLUSION, HISTORY, TIME, ZONE, BaselineName, LimitValue
from smbrare.cli.toml_file import load
from smbrare.detection.criteria import Criteria
from smbrare.detection.exclusions import Exclusion, wanted_names
from smbrare.errors import UsageError
from smbrare.limits import NAMES, Limits, changed
from smbrare.outputs.formats import EXPLANATION, SEEN
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import MICROSECONDS, UNITS
from smbrare.rule import predicate
from smbrare.scanning.scan import baseline_settings

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def combine(*options: Decorator) -> Decorator:
    """Return one decorator that adds options; the help shows them in the order given."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def output_option(help_text: str, **more: Any) -> Decorator:
    """Return ``--output``, with what click takes besides."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=help_text,
        **more,
    )


def baseline_option(help_text: str) -> Decorator:
    """Return ``--baseline``."""
    return click.option("--baseline", type=BaselineName(), metavar="NAME|FILE", help=help_text)


def format_option(formats: Iterable[str], help_text: str, **more: Any) -> Decorator:
    """Return ``--format``, the first of the formats its default, with what click takes besides."""
    names = list(formats)
    return click.option(
        "-f",
        "--format",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help=help_text,
        **more,
    )


def time_field_option(*fields: str) -> Decorator:
    """Return ``--time-field``, the first of the fields its default."""
    return click.option(
        "--time-field",
        type=click.Choice(fields),
        default=fields[0],
        show_default=True,
        help="Field with the time; @timestamp in events without it.",
    )


output = output_option("Write findings to a file, which is replaced at the end.")
# A configuration's file is for findings, and would be replaced by something else.
result_file = output_option(
    "Write to a file, which is replaced at the end.", allow_from_autoenv=False
)
# A configuration's format is that of findings.
list_format = format_option(SEEN, "How to print destinations.", allow_from_autoenv=False)
text_or_json = format_option(EXPLANATION, "How to print it.", allow_from_autoenv=False)
exit_zero: Decorator = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 instead of 1 for findings."
)
ignore_unknown: Decorator = click.option(
    "--ignore-unknown",
    is_flag=True,
    help="Don't exit with 4 for unknown content that might contain a match.",
)
rarity: Decorator = combine(
    click.option(
        "--history",
        type=HISTORY,
        default=f"{predicate.HISTORY_DAYS}d",
        show_default=True,
        help="How long a destination counts as seen, such as 36h; or all.",
    ),
    click.option("--per-host", is_flag=True, help="Evaluate each host's destinations separately."),
)
input_tz: Decorator = click.option(
    "--input-tz",
    type=ZONE,
    default="UTC",
    show_default=True,
    help="Time zone of times without one, such as Europe/Berlin.",
)
time_unit: Decorator = click.option(
    "--time-unit",
    type=click.Choice(list(UNITS)),
    help="Unit of times that are plain numbers; by default ms, or us or ns by size.",
)
reading: Decorator = combine(
    click.option("--literal", is_flag=True, help="Don't infer missing fields."),
    time_field_option("@timestamp", "event.ingested"),
    input_tz,
    time_unit,
)
color: Decorator = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Use colours; auto: on a terminal.",
)
strict: Decorator = click.option(
    "--strict", is_flag=True, help="Exit with 3 if any record is unreadable."
)
quiet: Decorator = click.option(
    "-q", "--quiet", is_flag=True, help="Only print warnings and errors to stderr."
)
verbose: Decorator = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also list inputs, options and unused exclusions on stderr.",
)
cluster: Decorator = click.option(
    "--cluster", metavar="ADDRESS", help="Read with a Dask cluster: the address of its scheduler."
)
baseline: Decorator = combine(
    baseline_option("Compare with what earlier scans saw, and add to it."),
    click.option("--no-baseline", is_flag=True, help="Evaluate these inputs on their own."),
    click.option("--no-update", is_flag=True, help="Don't add anything to the baseline."),
)
exclusion_file_option: Decorator = click.option(
    "--exclusions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file of exclusions with reasons.",
)
exclusions: Decorator = combine(
    click.option(
        "--exclude",
        type=EXCLUSION,
        multiple=True,
        metavar="CIDR",
        help="Exclude destinations; repeatable.",
    ),
    exclusion_file_option,
)
window: Decorator = combine(
    click.option(
        "--since",
        type=TIME,
        help="Report findings from this time on, such as 2026-11-20, 24h (ago) or yesterday.",
    ),
    click.option("--until", type=TIME, help="Report findings before this time."),
)


def exclusions_from(options: Mapping[str, Any]) -> tuple[Exclusion, ...]:
    """Return those of the command line and then those of the file, each once.

    Raises:
        UsageError: If the file cannot be read, or says anything else.
    """
    found: list[Exclusion] = list(options["exclude"])
    if options["exclusions"] is not None:
        found += exclusion_file.exclusions(load(options["exclusions"]))
    return tuple(dict.fromkeys(found))


limits = click.option(
    "--limit",
    "limits",
    type=LimitValue(),
    multiple=True,
    metavar="NAME=VALUE",
    cls=configuration.TableOption,
    table="limits",
    names=NAMES,
    help="Change a size limit; repeatable.",
)


def limits_from(options: Mapping[str, Any]) -> Limits:
    """Return the limits of a command: of one given several times the last counts."""
    table = configuration.of_table(click.get_current_context(), "limits")
    return changed({**table, **dict(options["limits"])})


def baseline_from(options: Mapping[str, Any]) -> str | None:
    """Return the baseline that options name, None where --no-baseline was given as directly."""
    name: str | None = options.get("baseline")
    if options.get("no_baseline") and not outranks(
        click.get_current_context(), "baseline", "no_baseline"
    ):
        return None
    return name


def open_baseline(
    options: ReadOptions, criteria: Criteria, *, is_kept: bool = True
) -> "Baseline | None":
    """Return the baseline that is judged against, checked; None where none is named.

    Args:
        options: How to read.
        criteria: How to judge.
        is_kept: As of `new_or_known`.

    Raises:
        BaselineError: If it cannot be read, or was kept with other settings.
    """
    if criteria.baseline is None:
        return None
    # Most scans name none, and do without SQLite.
    from smbrare.baseline.store import Baseline  # noqa: PLC0415

    baseline = Baseline(locate(criteria.baseline), baseline_settings(options))
    return new_or_known(baseline, is_kept=is_kept)


def new_or_known(baseline: "Baseline", *, is_kept: bool = True) -> "Baseline":
    """Return a baseline, after a warning if it is new and its name may be a slip of another's.

    Args:
        baseline: The baseline.
        is_kept: Whether the command makes it; otherwise a new one is always worth a warning.
    """
    if not baseline.path.exists():
        near = similar(baseline.path)
        state = "does not exist yet" if is_kept else "does not exist: evaluated without it"
        meant = f"; did you mean {near}?" if near else ""
        if near or not is_kept:
            writing.warn([f"baseline {baseline.path} {state}{meant}"])
    return baseline


def settings_from(options: Mapping[str, Any]) -> tuple[ReadOptions, Criteria]:
    """Return how to read and what to look for, as the options of a command say.

    An option that the command does not have means what it means by default.

    Raises:
        UsageError: If the window is empty, or the file of exclusions cannot be used.
    """
    since, until = options.get("since"), options.get("until")
    if since is not None and until is not None and since >= until:
        raise UsageError("--until is not after --since")
    limits = limits_from(options)
    exclusions = exclusions_from(options) if "exclusions" in options else ()
    strict = options.get("strict", False)
    criteria = Criteria(
        exclusions=exclusions,
        per_host=options.get("per_host", False),
        since=since,
        until=until,
        baseline=baseline_from(options),
        strict=strict,
        exit_zero=options.get("exit_zero", False),
        ignore_unknown=options.get("ignore_unknown", False),
    )
    if "history" in options:
        length = options["history"]
        criteria = replace(criteria, history=None if length is None else length * MICROSECONDS)
    read_options = ReadOptions(
        zone=options["input_tz"],
        literal=options["literal"],
        time_unit=None if options["time_unit"] is None else UNITS[options["time_unit"]],
        time_field=options["time_field"],
        limits=limits,
        thorough=options.get("thorough", False) or strict,
        jobs=options.get("jobs"),
        cluster=options.get("cluster"),
        names=wanted_names(exclusions),
    )
    return read_options, criteria
