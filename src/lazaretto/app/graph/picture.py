"""An answer as a picture: Graphviz DOT, or SVG that needs nothing else; hostile names are text and nothing more."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lazaretto.app.graph.ask import Dependents
from lazaretto.app.graph.choke import REACHED, Chokepoints
from lazaretto.core.inert import inert

MAX_LABEL = 48
"""Longest label of a box, in characters."""

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 300, 26, 380, 38, 20
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


class Picture(Struct, frozen=True):
    """Boxes in columns, and lines between them: each box has a name of its own, a label, and its column."""

    title: str
    boxes: tuple[tuple[str, str, int], ...]
    lines: tuple[tuple[str, str], ...]


def of_dependents(answer: Dependents) -> Picture:
    """Return what was asked about, and who depends on it, by distance."""
    boxes: dict[str, tuple[str, int]] = {}
    lines: dict[tuple[str, str], None] = {}
    for one in answer.dependents:
        for place, name in enumerate(one.path):
            boxes.setdefault(name, (name, len(one.path) - 1 - place))
        for upper, lower in zip(one.path, one.path[1:], strict=False):
            lines[upper, lower] = None
    for name in answer.asked if not boxes else ():
        boxes[name] = (name, 0)
    title = f"{answer.releases} releases of {answer.projects} projects depend on {', '.join(answer.asked)[:200]}"
    if len(answer.dependents) < answer.releases:
        title += f"; the {len(answer.dependents)} nearest are shown"
    return Picture(title, tuple((name, *told) for name, told in boxes.items()), tuple(lines))


def of_chokepoints(answer: Chokepoints) -> Picture:
    """Return the few, and the projects or versions through which each of them reaches most."""
    boxes: dict[str, tuple[str, int]] = {}
    lines: dict[tuple[str, str], None] = {}
    for one in answer.points:
        boxes[f"{answer.by} {one.name}"] = (f"{one.name}: {one.reached} of {answer.counted}", 0)
        for through in one.through:
            boxes.setdefault(through, (through, 1))
            lines[f"{answer.by} {one.name}", through] = None
    title = f"{len(answer.points)} {answer.by}s reach {answer.together} of {answer.counted} {REACHED[answer.of]}"
    return Picture(title, tuple((name, *told) for name, told in boxes.items()), tuple(lines))


def dot(picture: Picture) -> str:
    """Return a picture for Graphviz. Labels are strings in quotes: no HTML, no escape that Graphviz would act on."""
    names = {name: f"n{number}" for number, (name, _, _) in enumerate(picture.boxes)}
    out = ["digraph lazaretto {", "  rankdir=RL;", "  node [shape=box];", f"  label={_quoted(picture.title)};"]
    out += [f"  {names[name]} [label={_quoted(label[:MAX_LABEL])}];" for name, label, _ in picture.boxes]
    out += [f"  {names[one]} -> {names[other]};" for one, other in picture.lines]
    return "\n".join([*out, "}", ""])


def svg(picture: Picture) -> str:
    """Return a picture that a browser shows: columns by distance, no script, no style, no address."""
    at = _places(picture.boxes)
    width = max((x for x, _ in at.values()), default=0) + _WIDTH + _EDGE
    height = max((y for _, y in at.values()), default=0) + _HEIGHT + _EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f"<title>{_text(picture.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_EDGE}" y="24" font-size="14">{_text(picture.title)}</text>',
    ]
    for one, other in picture.lines:
        (x, y), (to_x, to_y) = at[one], at[other]
        left, right = (x + _WIDTH, to_x) if x < to_x else (x, to_x + _WIDTH)
        middle = _HEIGHT // 2
        out.append(f'<line x1="{left}" y1="{y + middle}" x2="{right}" y2="{to_y + middle}" stroke="#8a94a6"/>')
    for name, label, column in picture.boxes:
        x, y = at[name]
        fill = "#fde2e1" if column == 0 else "#eef2f7"
        out.append(f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" fill="{fill}" stroke="#5b6472"/>')
        out.append(f'<text x="{x + 8}" y="{y + 17}">{_text(inert(label, MAX_LABEL))}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


def _places(boxes: Sequence[tuple[str, str, int]]) -> Mapping[str, tuple[int, int]]:
    filled: dict[int, int] = {}
    found: dict[str, tuple[int, int]] = {}
    for name, _, column in boxes:
        row = filled[column] = filled.get(column, 0) + 1
        found[name] = (_EDGE + column * _ACROSS, _EDGE + row * _DOWN)
    return found


def _text(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in inert(text, 400))


def _quoted(text: str) -> str:
    return '"' + inert(text, 400).replace("\\", "\\\\").replace('"', '\\"') + '"'
