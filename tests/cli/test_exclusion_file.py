"""The file of exclusions: whatever is wrong in it is told with its line."""

import pytest

from smbrare.cli.exclusion_file import exclusions
from smbrare.cli.toml_file import parse
from smbrare.errors import UsageError

GOOD = '[[exclusion]]\nreason = "a"\nhost = "b"\n'
WRONG = [
    ("[[exclusion]\n", 1, ""),
    ('[[exclusion]]\nreason = "a"\nhost = "b"\nhost = "c"\n', 4, ""),
    ("[[exclusion]]\nreason = 'a\n", 2, ""),
    ('[[exclusions]]\nreason = "a"\n', 1, "unknown key 'exclusions'; did you mean 'exclus"),
    ('exclusion = "a"\n', 1, "written as [[exclusion]]"),
    ('\n[[exclusion]]\nhost = "a"\n', 2, "needs a reason"),
    ('\n\n[[exclusion]]\nreason = "a"\n', 3, "needs one of destination, source, host, domain"),
    ('[[exclusion]]\nhost = "a"\nreason = " "\n', 3, "the reason has to say something"),
    ('[[exclusion]]\nhost = "a"\nreason = 1\n', 3, "the reason has to say something"),
    ('[[exclusion]]\nreason = "a"\ndestinations = "1.2.3.4"\n', 3, "did you mean 'destination'?"),
    (f"{GOOD}\n{GOOD}destination = '1.2.3.4/8'\n", 8, "1.2.3.4/8 has host bits set"),
    ('[[exclusion]]\nreason = "a"\nsource = ["10.0.0.0/8",\n  "x"]\n', 3, "'x' does not appear"),
    ('[[exclusion]]\nreason = "a"\nsource = 10\n', 3, "10 is not a range"),
    ('[[exclusion]]\nreason = "a"\nsource = []\n', 3, "an empty list"),
    ('[[exclusion]]\nreason = "a"\ndomain = "http://a.example/"\n', 3, "is not a domain"),
    ('[[exclusion]]\nreason = "a"\nhost = ""\n', 3, "not a pattern of host names"),
    (
        '[[exclusion]]\nreason = "a"\nhost = "b"\nfrom = 2026-11-16T08:30:00Z\n',
        4,
        "not a full hour",
    ),
    ('[[exclusion]]\nreason = "a"\nhost = "b"\nuntil = "soon"\n', 4, "'soon' is not a time"),
    ('[[exclusion]]\nreason = "a"\nhost = "b"\nuntil = 08:00:00\n', 4, "is not a time"),
    (
        '[[exclusion]]\nreason = "a"\nhost = "b"\nfrom = 2026-11-16\nuntil = 2026-11-16\n',
        5,
        "until is not after from",
    ),
    ('exclusion = [{host = "a", reason = "b", hots = "c"}]\n', 1, "did you mean 'host'?"),
]


@pytest.mark.parametrize(("text", "line", "what"), WRONG)
def test_a_wrong_file_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(UsageError) as told:
        exclusions(parse(text, "x.toml"))
    assert str(told.value).startswith(f"x.toml:{line}: ")
    assert what in str(told.value)
