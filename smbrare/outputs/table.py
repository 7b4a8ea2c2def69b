"""``table``: findings for a person, at any width without losing a fact or cutting an address.

Colours are few, and none says what the words do not.
"""

from collections.abc import Iterator

from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.outputs.columns import INFERRED_MARK, LAYOUTS, STACKED
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Grid, lay_out


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield the table, or nothing where there is nothing to show.

    Findings whose history was known in full come first; those of one destination stand together.
    """
    shown = options.shown(report)
    if not shown:
        return
    known, cold = _parts(shown)
    grid, apart = _lay_out([*known, *cold], options)
    first = slice(len(known) or None)
    yield from grid.draw(first, options, apart=apart)
    if known and cold:
        yield "\nThe history before these was not known in full:\n\n"
        yield from grid.draw(slice(len(known), None), options, header=False, apart=apart)
    inferred = sorted({name for finding in shown for name in finding.sighting.inferred})
    if inferred and len(grid.columns) > 1:
        yield f"\n{INFERRED_MARK} rests on inferred fields: {options.clean(', '.join(inferred))}\n"


def _parts(shown: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings by destination: those with one of full history, and the others."""
    groups: dict[str, list[Finding]] = {}
    for finding in shown:
        groups.setdefault(finding.sighting.destination, []).append(finding)
    parts: tuple[list[Finding], list[Finding]] = [], []
    for group in groups.values():
        parts[not any(finding.history.complete for finding in group)].extend(group)
    return parts


def _lay_out(findings: list[Finding], options: RenderOptions) -> tuple[Grid, bool]:
    """Return the first layout that fits, or the last, and whether its rows stand apart.

    Only those with stacked cells may break words for it.
    """
    for number, layout in enumerate(LAYOUTS):
        attempts = (True,) if number < STACKED else (True, False)
        grid = lay_out(layout, findings, options, keeps_words=attempts, keeps_empty=False)
        if grid.fits or layout is LAYOUTS[-1]:
            return grid, number > STACKED
    raise AssertionError("the last layout is taken in any case")
