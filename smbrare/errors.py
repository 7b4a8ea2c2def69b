"""Errors that end a run; trouble with one record is a value instead (`event.Skipped`)."""


class SmbrareError(Exception):
    """Base of all errors whose message is meant for the user."""


class UsageError(SmbrareError):
    """An option, a configuration or an exclusion that cannot be used (exit code 2)."""


class BaselineError(SmbrareError):
    """A baseline that cannot be opened, read or written (exit code 2)."""


class ClosedPipeError(Exception):
    """Whoever read stdout has gone (exit code 141).

    Not the interpreter's BrokenPipeError: click answers that one itself, with exit code 1.
    """


class OutputError(SmbrareError):
    """An output file that cannot be written (exit code 2)."""
