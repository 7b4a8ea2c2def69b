"""``smbrare baseline``: what was seen before, shown, learnt, merged and checked."""

import click

from smbrare.cli.baseline_export import export_command
from smbrare.cli.baseline_learn import learn_command
from smbrare.cli.baseline_merge import merge_command
from smbrare.cli.baseline_prune import prune_command
from smbrare.cli.baseline_show import show_command
from smbrare.cli.baseline_verify import verify_command

_EXAMPLES = """\b
Examples:
  smbrare baseline learn acme last-month/
  smbrare baseline show acme --destination 45.83.122.0/24
  smbrare baseline merge london paris --output both
"""


@click.group(
    "baseline",
    short_help="Show, teach, merge and check what was seen before.",
    epilog=_EXAMPLES,
)
def baseline_command() -> None:
    """Show, teach, merge and check what was seen before.

    A baseline is a file of the destinations that earlier scans saw. A bare name lies in the user's
    state directory; anything with a dot or a slash is a path.
    """


for command in (
    learn_command,
    show_command,
    merge_command,
    prune_command,
    verify_command,
    export_command,
):
    baseline_command.add_command(command)
