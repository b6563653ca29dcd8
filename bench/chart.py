"""The chart: bars of time for each case, ngp beside its peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bench.contest import Result

TITLE = "Time by case, shorter is better; each case has its own scale"
_SHOWN = ("plan-first", "plan-again", "plan-child", "plan-command", "apply-saved", "apply-all", "graph", "affected")
_WIDTH, _LABELS, _BAR, _GAP = 860, 300, 18, 26
_COLOURS = {True: "#2f6f9f", False: "#b9bec4"}


def draw(results: Sequence[Result]) -> str:
    """Return the chart as SVG, with all contestants that were measured."""
    lines, top = [], 40
    for result in results:
        bars = [(name, score.median("wall_s")) for name, score in result.scores.items() if score.samples]
        if result.id in _SHOWN and bars:
            lines.append(f'<text x="16" y="{top}" class="title">{escape(result.title)}</text>')
            lines += _bars(bars, top + 10)
            top += 10 + len(bars) * (_BAR + 4) + _GAP
    style = "text{font:13px sans-serif;fill:#24292f}.title{font-weight:bold}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" role="img">\n'
        f"<title>{TITLE}</title>\n<style>{style}</style>\n"
        f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>\n'
        f'<text x="16" y="18">{TITLE}</text>\n' + "\n".join(lines) + "\n</svg>\n"
    )


def _bars(bars: Sequence[tuple[str, float]], top: int) -> Iterator[str]:
    longest = max(seconds for _, seconds in bars)
    room = _WIDTH - _LABELS - 90
    for number, (name, seconds) in enumerate(bars):
        y, width = top + number * (_BAR + 4), max(1.0, room * seconds / longest)
        colour = _COLOURS["ngp" in name]
        yield f'<text x="{_LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{_LABELS}" y="{y}" width="{width:.0f}" height="{_BAR}" fill="{colour}"/>'
        yield f'<text x="{_LABELS + width + 6:.0f}" y="{y + 13}">{seconds:.2f} s</text>'
