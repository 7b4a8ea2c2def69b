"""Commands with help in groups, and with suggestions for what was mistyped."""

import shlex
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from smbrare.cli import configuration, writing
from smbrare.cli.own_files import check_output
from smbrare.text import nearest, visible

_GROUPS = {
    "Output": "format output show context brief exit_zero quiet verbose color compare",
    "What to look for": "since until exclude exclusions history per_host expect",
    "Schedule": "interval once lookback anchor max_signals",
    "Baseline": "baseline no_baseline no_update",
    "Names for destinations": "intel labels geoip",
    "Input": "dry_run literal inferred input_tz time_unit time_field strict ignore_unknown limits",
    "Performance": "jobs thorough cluster",
    "Other": "config help",
}
"""Title in the help → the names of its options, everyday ones first."""

_ORDER = [(title, name) for title, names in _GROUPS.items() for name in names.split()]
_FEW = 8
"""Options that need no groups."""

_FIRST_COLUMN = 30
"""click's own limit."""


def command(name: str, section: str = "") -> Callable[[Callable[..., Any]], click.Command]:
    """Return the decorator of a command whose options can be configured.

    Args:
        name: What the user calls it.
        section: As of `configuration.settings`.
    """

    def make(function: Callable[..., Any]) -> click.Command:
        function = configuration.config_option(section)(function)
        settings = configuration.settings(section)
        return click.command(name, cls=Command, context_settings=settings)(function)

    return make


def _with_examples(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return what click makes a command of, with the examples of its help in their place."""
    text, _, examples = cleandoc(attributes["help"]).partition("\n\nExamples:\n")
    # click leaves the lines of a paragraph alone that begins so.
    text = text.replace("\nExit codes:\n", "\n\b\nExit codes:\n")
    return {**attributes, "help": text, "epilog": f"\b\nExamples:\n{examples}"}


class Command(click.Command):
    """A command whose help lists its options in groups, and whose variables are checked."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        super().__init__(name, **_with_examples(attributes))

    def option_groups(self, context: click.Context) -> dict[str, list[tuple[str, str]]]:
        """Return each option and its help by the title of its group; a few options in one group."""
        options = [each for each in self.get_params(context) if isinstance(each, click.Option)]
        options.sort(key=_place)
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in options:
            title = "Options" if len(options) <= _FEW else _place(option)[1]
            if record := option.get_help_record(context):
                groups.setdefault(title, []).append(record)
        return groups

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of each group in a section."""
        groups = self.option_groups(ctx)
        width = max(len(term) for rows in groups.values() for term, _ in rows)
        for title, rows in groups.items():
            with formatter.section(title):
                # One column of explanations through all sections.
                padded = [(term.ljust(min(width, _FIRST_COLUMN)), text) for term, text in rows]
                formatter.write_dl(padded, col_max=_FIRST_COLUMN)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, after warnings about variables and a look at its output."""
        writing.warn((*configuration.unknown_variables(ctx), *configuration.relative_folders()))
        check_output(ctx)
        return super().invoke(ctx)


def _place(option: click.Option) -> tuple[int, str]:
    """Return where an option stands in the help, and the title of its group."""
    # click has its own name for this one.
    name = "help" if "--help" in option.opts else option.name
    return next(
        ((at, title) for at, (title, one) in enumerate(_ORDER) if one == name), (-1, "Options")
    )


class CommandGroup(click.Group):
    """A group of commands that suggests one for a mistyped name, or for a file in its place."""

    command_class = Command

    def __init__(self, name: str | None, **attributes: Any) -> None:
        super().__init__(name, **_with_examples(attributes))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names.

        Raises:
            UsageError: If there is none, with what was probably meant.
        """
        name = args[0]
        known = self.list_commands(ctx)
        if not (ctx.resilient_parsing or name in known or (name[1:] and name.startswith("-"))):
            ctx.fail(visible(f"no command {name}; {self._meant(ctx, args, known)}"))
        return super().resolve_command(ctx, args)

    def _meant(self, ctx: click.Context, args: list[str], known: list[str]) -> str:
        name = args[0]
        is_input = not set("./\\*-").isdisjoint(name) or Path(name).exists()
        if ctx.parent is None and is_input:
            return f"did you mean: {ctx.command_path} scan {shlex.join(args)}"
        if near := nearest(name, known):
            return f"did you mean: {ctx.command_path} {shlex.join([near, *args[1:]])}"
        return f"the commands are {', '.join(known)}"
