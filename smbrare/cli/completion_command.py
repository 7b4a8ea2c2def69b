"""``smbrare completion``: the scripts by which shells complete, and how each shell is answered."""

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    PowerShellComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from smbrare.cli import writing
from smbrare.cli.command import Command

_PLAIN = re.compile(r"[A-Za-z0-9_./:=-]+")
"""What PowerShell takes as one word without quotes."""


class Bash(BashComplete):
    """Bash, to which ``=`` is a word of its own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor's, and that one."""
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], incomplete


class _WholeWords(ShellComplete):
    """A shell that replaces all of ``--format=js``, and not only what follows the sign."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what the word can become, with the option that it begins with."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if not (equals and option.startswith("-")):
            return items
        return [CompletionItem(f"{option}={item.value}", item.type, item.help) for item in items]


class Zsh(_WholeWords, ZshComplete):
    """Zsh."""


class Fish(_WholeWords, FishComplete):
    """Fish."""


class PowerShell(_WholeWords, PowerShellComplete):
    """PowerShell, whose paths have backslashes, and which quotes in its own way."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor's, and that one."""
        # click splits them as a POSIX shell does, to which a backslash is no part of a word.
        os.environ["COMP_WORDS"] = os.environ["COMP_WORDS"].replace("\\", "\\\\")
        return super().get_completion_args()

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what the word can become; nothing for a file, which PowerShell then completes."""
        items = super().get_completions(args, incomplete)
        return [item for item in items if item.type == "plain"]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return an item in three lines, its value quoted where PowerShell needs that."""
        if not _PLAIN.fullmatch(item.value):
            quoted = "'" + item.value.replace("'", "''") + "'"
            item = CompletionItem(quoted, item.type, item.help)
        return super().format_completion(item)


SHELLS: dict[str, type[ShellComplete]] = {
    each.name: add_completion_class(each) for each in (Bash, Fish, PowerShell, Zsh)
}


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete smbrare's words.

    Commands, options, their values, files and the names of your baselines complete with Tab. The
    script asks smbrare itself, so a new version needs no new script.

    Exit codes: 0 printed; 2 wrong usage.

    Examples:
      eval "$(smbrare completion bash)"                              in ~/.bashrc
      smbrare completion fish > ~/.config/fish/completions/smbrare.fish
      smbrare completion powershell | Out-String | Invoke-Expression  in $PROFILE
    """
    program = context.find_root().command
    writing.write([SHELLS[shell](program, {}, "smbrare", "_SMBRARE_COMPLETE").source()], None)
