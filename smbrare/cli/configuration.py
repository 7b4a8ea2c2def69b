"""Where option values come from: the command line, then SMBRARE_* variables, then a file.

The file is the one that ``--config`` or SMBRARE_CONFIG names, or ``smbrare.toml`` in the user's
own configuration directory. It is never one found beside the logs: evidence may hold a planted one.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import platformdirs
from click.core import ParameterSource

from smbrare.baseline.location import user_folder
from smbrare.cli.parameters import BaselineName, FileName
from smbrare.cli.toml_file import TomlText, load, unknown_key
from smbrare.errors import UsageError
from smbrare.text import nearest

PREFIX = "SMBRARE"
_OTHER_VARIABLES = ("CONFIG", "DEBUG")
_FILE = "smbrare.configuration"
_TABLE = "smbrare.table"


def settings(section: str = "") -> dict[str, Any]:
    """Return the context settings of a command whose options may be configured.

    Args:
        section: The table of the file that holds its options, and what follows SMBRARE_ in the
            names of its variables; empty for those at the top, which are ``scan``'s.
    """
    prefix = f"{PREFIX}_{section.upper()}" if section else PREFIX
    return {"auto_envvar_prefix": prefix}


class ConfigOption(click.Option):
    """``--config``, which tells how its command is configured.

    Attributes:
        section: The table of the file that holds the command's options.
    """

    def __init__(self, *args: Any, section: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class TableOption(click.Option):
    """A repeatable ``NAME=VALUE`` whose names are the keys of a table that all commands share.

    The table stands under what is given more directly, name by name.

    Attributes:
        table: The table of the file.
        names: The keys that it may have.
    """

    def __init__(
        self, *args: Any, table: str = "", names: Iterable[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.names = frozenset(names)


def of_table(context: click.Context, table: str) -> dict[str, Any]:
    """Return what the file says in a table that all commands share, by name."""
    found: dict[str, Any] = context.meta.get(f"{_TABLE}.{table}", {})
    return found


def config_option(section: str = "") -> Callable[[Any], Any]:
    """Return the decorator that adds ``--config``."""
    return click.option(
        "--config",
        cls=ConfigOption,
        section=section,
        envvar=f"{PREFIX}_CONFIG",
        type=click.Path(path_type=Path),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_load,
        help="Read options from this file instead of your own.",
    )


def user_file() -> Path:
    """Return the file in the user's configuration directory, there or not.

    Raises:
        UsageError: If the user has none.
    """
    return user_folder(platformdirs.user_config_dir) / "smbrare.toml"


def file_of(context: click.Context) -> Path | None:
    """Return the file that a command was configured by."""
    file: Path | None = context.meta.get(_FILE)
    return file


def origins(context: click.Context) -> Iterator[str]:
    """Yield each option's value that is not its default, and where it came from."""
    file = context.meta.get(_FILE)
    for option in context.command.params:
        if isinstance(option, TableOption):
            given = dict(context.params[str(option.name)])
            for name, value in of_table(context, option.table).items():
                if name not in given:
                    yield f"{_key(option)} {name}={value}, from {file}"
    for option in _configurable(context.command):
        source = context.get_parameter_source(str(option.name))
        if source is ParameterSource.COMMANDLINE:
            origin = "the command line"
        elif source is ParameterSource.ENVIRONMENT:
            origin = f"{context.auto_envvar_prefix}_{str(option.name).upper()}"
        elif source is ParameterSource.DEFAULT_MAP:
            origin = str(file)
        else:
            continue
        yield f"{_key(option)} {_spell(option, context)}, from {origin}"


def outranks(context: click.Context, one: str, other: str) -> bool:
    """Return whether an option was given more directly than another, by their names."""
    order = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)
    ranks = [
        order.index(source) if source in order else len(order)
        for source in map(context.get_parameter_source, (one, other))
    ]
    return ranks[0] < ranks[1]


def relative_folders() -> Iterator[str]:
    """Yield a warning for each variable that should name one of the user's folders, and doesn't."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME") if os.name == "posix" else ():
        if (value := os.environ.get(name)) and not Path(value).is_absolute():
            yield f"{name}={value} is ignored: not an absolute path"


def unknown_variables(context: click.Context) -> Iterator[str]:
    """Yield a warning for each SMBRARE_* variable that no command reads."""
    start = f"{PREFIX}_"
    given = {name.removeprefix(start) for name in os.environ if name.startswith(start)}
    known = {*_OTHER_VARIABLES, *_variables(context.command)}
    if not given <= known:
        for command in _commands(context.find_root()):
            known.update(_variables(command))
    for name in sorted(given - known):
        near = nearest(name, known)
        meant = f"; did you mean {start}{near}?" if near else ""
        yield f"{start}{name}: no option has this variable{meant}"


def _variables(command: click.Command) -> Iterator[str]:
    """Yield the variables of a command without what all have in common."""
    if prefix := command.context_settings.get("auto_envvar_prefix"):
        section = f"{prefix}_".removeprefix(f"{PREFIX}_")
        yield from (f"{section}{str(each.name).upper()}" for each in _configurable(command))


def _load(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    path = value
    if path is None:
        try:
            path = user_file()
        except UsageError:
            return
        if not _is_file(path):
            return
    text = load(path)
    known = _known_keys(context.find_root())
    for key, given in text.values.items():
        if key in known and isinstance(given, dict):
            _check_keys(text, given, known[key], text.line_of(key))
    top = {key: given for key, given in text.values.items() if not isinstance(given, dict)}
    tables = text.values.keys() - top.keys()
    _check_keys(text, top, known[""], 0)
    for table in sorted(tables - known.keys()):
        text.fail(text.line_of(table), unknown_key(table, [*known[""], *filter(None, known)]))
    for one in context.command.params:
        if isinstance(one, TableOption):
            context.meta[f"{_TABLE}.{one.table}"] = _table(context, text, one)
    section = option.section if isinstance(option, ConfigOption) else ""
    given = text.values.get(section, {}) if section else top
    context.meta[_FILE] = path
    context.default_map = _values(context, text, given, text.line_of(section) if section else 0)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no right to look
        return False


def _check_keys(text: TomlText, given: dict[str, Any], known: set[str], start: int) -> None:
    for key in given:
        if key.replace("_", "-") not in known:
            text.fail(text.line_of(key, start), unknown_key(key, known))


def _table(context: click.Context, text: TomlText, option: TableOption) -> dict[str, Any]:
    """Return what the file says in the table of an option, each value checked where it stands."""
    values: dict[str, Any] = {}
    start = text.line_of(option.table)
    given = text.values.get(option.table, {})
    if not isinstance(given, dict):
        text.fail(start, f"{option.table}: {given!r} is not a table")
    for key, value in given.items():
        try:
            spelled = _text(option, value, Path())
            name, number = option.type.convert(f"{key}={spelled}", option, context)
        except (click.BadParameter, TypeError) as error:
            text.fail(text.line_of(key, start), f"{key}: {error}")
        values[name] = number
    return values


def _values(
    context: click.Context, text: TomlText, given: dict[str, Any], start: int
) -> dict[str, Any]:
    """Return what the file says for a command's options, each checked where it stands."""
    by_key = {
        _key(option): option
        for option in _configurable(context.command)
        if not isinstance(option, TableOption)
    }
    values: dict[str, Any] = {}
    for key, value in given.items():
        option = by_key.get(key.replace("_", "-"))
        if option is None:
            continue
        try:
            raw = _raw(option, value, Path(text.name).absolute().parent)
            option.type_cast_value(context, raw)
        except (click.BadParameter, TypeError, ValueError) as error:
            text.fail(text.line_of(key, start), f"{key}: {error}")
        values[str(option.name)] = raw
    return values


def _raw(option: click.Option, value: Any, folder: Path) -> Any:
    """Return a value of TOML as click takes it from a command line."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return value
    if option.multiple:
        return [
            _text(option, one, folder) for one in (value if isinstance(value, list) else [value])
        ]
    return _text(option, value, folder)


def _text(option: click.Option, value: Any, folder: Path) -> str:
    if isinstance(value, bool | list | dict):
        raise TypeError(f"{value!r} cannot be its value")
    text = value.isoformat() if isinstance(value, date) else str(value)
    is_path = isinstance(option.type, click.Path | FileName)
    if isinstance(option.type, BaselineName):
        is_path = BaselineName.is_path(text)
    if "\0" in text:
        raise ValueError("a text with a NUL character")
    if is_path:
        # Not from the working directory, where a file may have been planted.
        try:
            return str(folder / Path(text).expanduser())
        except RuntimeError:
            raise ValueError(f"no home directory is known for {text}") from None
    return text


def _known_keys(root: click.Context) -> dict[str, set[str]]:
    """Return the keys of every section of the file, over all commands."""
    found: dict[str, set[str]] = {"": set()}
    for command in _commands(root):
        for option in command.params:
            if isinstance(option, ConfigOption):
                keys = found.setdefault(option.section, set())
                keys.update(map(_key, _configurable(command)))
            if isinstance(option, TableOption):
                found.setdefault(option.table, set()).update(option.names)
    return found


def _commands(root: click.Context) -> Iterator[click.Command]:
    pending = [root.command]
    while pending:
        command = pending.pop()
        if isinstance(command, click.Group):
            below = (command.get_command(root, name) for name in command.list_commands(root))
            pending += [each for each in below if each is not None]
        yield command


def _configurable(command: click.Command) -> list[click.Option]:
    return [
        option
        for option in command.params
        if isinstance(option, click.Option) and option.expose_value and option.allow_from_autoenv
    ]


def _key(option: click.Option) -> str:
    return max(option.opts, key=len).removeprefix("--")


def _spell(option: click.Option, context: click.Context) -> str:
    value = context.params[str(option.name)]
    spell = getattr(option.type, "spell", str)
    if option.is_flag:
        return "on" if value else "off"
    return ", ".join(map(spell, value)) if option.multiple else spell(value)
