"""The command line: a file a command, and the one place that maps trouble to exit codes."""

import errno
import gc
import io
import os
import sys
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from smbrare import __version__
from smbrare.cli import interruption, writing
from smbrare.cli.command import CommandGroup
from smbrare.errors import (
    EXIT_CLOSED_PIPE,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    EXIT_UNREADABLE,
    EXIT_USAGE,
    ClosedPipeError,
    SmbrareError,
    reason_of,
)
from smbrare.text import visible

COMMANDS = {
    "baseline": "Manage what earlier scans saw.",
    "completion": "Print the script that completes words in your shell.",
    "exclude": "Add an exclusion to your file.",
    "explain": "Explain why an event is, or isn't, a finding.",
    "inspect": "Show what an export contains and lacks.",
    "replay": "Show the alerts that Kibana would have raised.",
    "rule": "Show the rule, or export it for other tools.",
    "scan": "Find rare SMB connections in files.",
    "schema": "Show the JSON Schema of an output.",
    "watch": "Follow growing files, and print findings as they come.",
}
"""Every command, and its line in the list of commands."""


class Commands(CommandGroup):
    """The group of all commands, each in ``smbrare/cli/<name>_command.py``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, for the list of commands and for completion."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None for a name that is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"smbrare.cli.{cmd_name}_command")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return the names that start so, without importing the commands, and the options."""
        names = [name for name in sorted(COMMANDS) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=COMMANDS[name]) for name in names] + options


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says where there is no room to write."""


def _show_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:  # noqa: FBT001
    if not is_asked or context.resilient_parsing:
        return
    click.echo(f"smbrare {__version__}")
    if context.params["verbose"]:
        from smbrare.cli.versions import environment  # noqa: PLC0415 - for this alone

        click.echo("\n".join(environment()))
    context.exit()


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    # Read before --version, whichever is given first.
    is_eager=True,
    help="With --version: also show Python, the platform and dependencies.",
)
@click.pass_context
def cli(context: click.Context, *, verbose: bool) -> None:
    """Find rare SMB connections to the internet in exported Windows network events.

    Exit codes: 0 nothing found; 1 findings; 2 wrong usage; 3 incomplete input; 4 not evaluated.

    Examples:
      smbrare scan logs/                  what is rare in these files?
      smbrare inspect export.ndjson       could a scan of it find anything?
      smbrare explain export.ndjson:12    why is, or isn't, this a finding?
    """
    if verbose:
        context.fail("give -v after the command, or with --version")


def main() -> NoReturn:
    """Run the command line and exit with the code that the documentation promises."""
    code = run()
    # The interpreter looks for cycles once more at its end, among all that a run has imported.
    gc.freeze()
    sys.exit(code)


def run() -> int:
    """Run the command line and return its exit code: the command's, or one of these.

    2: wrong usage, configuration or baseline, or output that cannot be written
    70: an internal error
    130: ended by Ctrl-C
    141: whoever read stdout closed it
    143: ended by SIGTERM
    """
    interruption.listen()
    _open_closed_streams()
    _prepare_completion()
    try:
        code = cli.main(prog_name="smbrare", standalone_mode=False)
    except click.ClickException as error:
        _show(error)
        return EXIT_USAGE
    except SmbrareError as error:
        writing.tell([visible(f"smbrare: {error}")])
        return EXIT_USAGE
    except SystemExit as ended:
        # click's own: it ends so after a completion, and where nobody reads its help.
        return _closed_pipe() if ended.code else 0
    except ClosedPipeError:
        return _closed_pipe()
    except MemoryError:
        writing.tell(["smbrare: out of memory: scan fewer files at a time, or lower --limit"])
        return EXIT_UNREADABLE
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except interruption.Terminated:
        return EXIT_TERMINATED
    except Exception as error:  # noqa: BLE001 - the promise is a code, not a traceback
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            # click writes help and version to stdout by itself.
            _drop_stdout()
            writing.tell([f"smbrare: stdout cannot be written: {reason_of(error)}"])
            return EXIT_USAGE
        return _internal(error)
    return code if isinstance(code, int) else 0


def _open_closed_streams() -> None:
    """Give a run whose standard streams are closed others: nobody reads them, nothing is there."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
            if handle != number:
                os.dup2(handle, number)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _prepare_completion() -> None:
    """Have a shell that asks for completions answered in our way instead of click's."""
    if "_SMBRARE_COMPLETE" in os.environ:
        import_module("smbrare.cli.completion_command")


def _closed_pipe() -> int:
    _drop_stdout()
    return EXIT_CLOSED_PIPE


def _drop_stdout() -> None:
    """Send what stdout still holds nowhere: the interpreter flushes it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(error: click.ClickException) -> None:
    """Print click's message for an error, whether or not somebody reads it."""
    text = io.StringIO()
    error.show(text)
    writing.tell(text.getvalue().splitlines())


def _internal(error: Exception) -> int:
    lines = [visible(f"smbrare: internal error: {type(error).__name__}: {error}")]
    if os.environ.get("SMBRARE_DEBUG"):
        import traceback  # noqa: PLC0415 - for this alone

        lines += map(visible, "".join(traceback.format_exception(error)).splitlines())
    else:
        lines.append("Set SMBRARE_DEBUG=1 to see where, and please report it.")
    writing.tell(lines)
    return EXIT_INTERNAL
