"""The report as one HTML file with three plots, drawn here: nothing is loaded from anywhere."""

from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt

from evals.corpora import figures
from evals.corpora.figures import HOLD_AT, Case

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640, 300, 50, 40
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;font-size:13px;margin:1rem 0}"
    "td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left}"
    "svg{max-width:100%;height:auto}figure{margin:1.5rem 0}figcaption{font-size:13px}"
)

Line = tuple[str, str, Sequence[tuple[float, float]]]
"""A name, a colour, and points whose y is between 0 and 1."""


def page(text: str, found: Sequence[Case]) -> str:
    """Return the page: the plots, then the report as it stands in Markdown."""
    malicious, updates, newest = figures.sides(found)
    newest = [case for case in newest if case.item.corpus == "newest"]
    steps = [at / 2 for at in range(121)]
    lines: list[Line] = [
        ("malicious clusters", "#b3261e", [(t, figures.per_cluster(malicious, _at(t)).share) for t in steps]),
        ("benign updates", "#1a6f3c", [(t, figures.each(updates, _at(t)).share) for t in steps]),
        ("benign first contacts", "#1f5fae", [(t, figures.each(newest, _at(t)).share) for t in steps]),
    ]
    low: list[Line] = [(name, colour, [(x, min(1.0, 10 * y)) for x, y in points]) for name, colour, points in lines[1:]]
    plots = _plot("Share held, by threshold in decibans", lines) + _plot("False holds, ten times as high", low)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lazaretto: figures</title>'
        f"<style>{_STYLE}</style><body>{plots}{body}</body></html>\n"
    )


def _at(threshold: float) -> figures.Test:
    return lambda case: case.held(threshold)


def _plot(title: str, lines: Sequence[Line]) -> str:
    top = max((x for _, _, points in lines for x, _ in points), default=1.0) or 1.0

    def place(x: float, y: float) -> str:
        across = _LEFT + x / top * (_WIDTH - _LEFT - 10)
        return f"{across:.1f},{(1 - y) * (_HEIGHT - _BOTTOM - 10) + 10:.1f}"

    drawn = [f'<line x1="{_LEFT}" y1="10" x2="{_LEFT}" y2="{_HEIGHT - _BOTTOM}" stroke="#888"/>']
    for step in range(0, 11, 2):
        height = (1 - step / 10) * (_HEIGHT - _BOTTOM - 10) + 10
        drawn.append(f'<text x="8" y="{height + 4:.1f}" font-size="11">{step * 10} %</text>')
        drawn.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>')
    for x in range(0, int(top) + 1, 10):
        across = _LEFT + x / top * (_WIDTH - _LEFT - 10)
        drawn.append(f'<text x="{across:.1f}" y="{_HEIGHT - 22}" font-size="11">{x}</text>')
    at, end = place(HOLD_AT, 0).split(",")[0], _HEIGHT - _BOTTOM
    drawn.append(f'<line x1="{at}" x2="{at}" y1="10" y2="{end}" stroke="#888" stroke-dasharray="4 3"/>')
    for number, (name, colour, points) in enumerate(lines):
        path = " ".join(place(x, y) for x, y in points)
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        drawn.append(
            f'<text x="{_LEFT + 170 * number}" y="{_HEIGHT - 5}" fill="{colour}" font-size="12">{escape(name)}</text>'
        )
    svg = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    return f"<figure>{svg}<figcaption>{escape(title)}</figcaption></figure>"
