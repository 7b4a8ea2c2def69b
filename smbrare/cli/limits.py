"""``--limit NAME=VALUE`` and the table ``[limits]``: what is too large to read."""

from collections.abc import Mapping
from typing import Any

import click

from smbrare.cli import configuration
from smbrare.limits import NAMES, Limits, changed, parse


class LimitValue(click.ParamType[tuple[str, int]]):
    """A limit and its value, ``nesting=50`` or ``record-bytes=1MiB``."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the limit's name and its number."""
        if not isinstance(value, str):
            return value
        name, equals, number = value.partition("=")
        if not equals:
            self.fail(f"{value!r} is no NAME=VALUE such as nesting=50", param, ctx)
        name = name.strip().replace("_", "-")
        try:
            return name, parse(name, number.strip())
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Return the names that start so."""
        del ctx, param
        names = [f"{name}=" for name in NAMES if name.startswith(incomplete)]
        return [click.shell_completion.CompletionItem(name) for name in names]

    def spell(self, value: tuple[str, int]) -> str:
        """Return a value as a user writes it."""
        return f"{value[0]}={value[1]}"


option = click.option(
    "--limit",
    "limits",
    type=LimitValue(),
    multiple=True,
    metavar="NAME=VALUE",
    cls=configuration.TableOption,
    table="limits",
    names=NAMES,
    help="Change what is too large to read; may be given several times.",
)


def given(options: Mapping[str, Any]) -> Limits:
    """Return the limits of a command: of one given several times the last counts."""
    table = configuration.of_table(click.get_current_context(), "limits")
    return changed({**table, **dict(options["limits"])})
