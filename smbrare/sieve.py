"""Which raw text can possibly hold a match of the rule."""

import re

# The digits of a port, with any spelling of a digit that JSON or XML may escape.
_PORT = re.compile(rb"445|139|\\u003|&#")


def may_match(text: bytes) -> bool:
    """Return whether a raw record could match: whether it can hold port 139 or 445.

    Numbers in exponent notation (``4.45e2``) are the one spelling that it does not see.
    """
    return _PORT.search(text) is not None
