"""The commands by name. Each is imported when it is asked for: a command pays for itself alone."""

from importlib import import_module

import click

COMMANDS = {
    "baseline": "Show, teach, merge and check what was seen before.",
    "explain": "Print why one event is a finding or none.",
    "inspect": "Print what an export holds and lacks.",
    "replay": "Print the alerts of the rule's runs in Kibana.",
    "rule": "Show the rule, or write it for other tools.",
    "scan": "Print the rare SMB connections of some files.",
    "watch": "Follow files that grow, and print each finding as it comes.",
}
"""Every command, and its line in the list of commands."""


class Commands(click.Group):
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
