"""Write the pages of ``docs/reference`` from the code: ``make docs``.

With ``--check``: fail if a page is not as the code says. A page that no code stands behind any more is an error too.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import cleandoc
from itertools import zip_longest
from pathlib import Path
from typing import cast

import msgspec

from lazaretto._plugins import discover
from lazaretto.core import facts
from lazaretto.core.archive.limits import Limits
from lazaretto.core.finding import Detector
from lazaretto.core.weight import WeightTable, row_key
from lazaretto.surfaces.cli.parser import build
from lazaretto.surfaces.firewall.parser import build as firewall

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "lazaretto"
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from {source}. Do not edit. -->\n"
COUNTED = """\
*Counted* is in how many clusters of malicious releases, and in how many benign releases, a variant fired at first
contact; a variant that was not counted is provisional.
"""
LANGUAGES_INTRODUCTION = """\
# Languages

What is read, by which module, and what each of them cannot see. What stands inside a file (scripts of a page, members
of an archive, bytes behind a picture) is read by the module of its own language.
"""
LIMITS_INTRODUCTION = """\
# Limits

Everything that is read is bounded. Reaching a bound refuses the archive, or becomes a problem that makes the record
incomplete ([why](../adr/0001-monotonic-verdict.md)); where much of one kind is told, the least telling is left out.
What is tested, and what is known to be silent still, stands in [the figures](../guides/figures.md).
"""


def cell(text: str) -> str:
    """Return text that stays in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell(one) for one in line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return text set as code."""
    return f"`{text}`" if text else ""


def detectors_page() -> str:
    """Return the page of all detectors: the list, then each docstring with its card."""
    modules = cast("tuple[Detector, ...]", discover("lazaretto.detectors", ("CARD", "EXAMPLES", "detect")))
    weights = msgspec.json.decode((PACKAGE / "data" / "weights.json").read_bytes(), type=WeightTable)
    techniques = msgspec.json.decode((PACKAGE / "data" / "attack.json").read_bytes())["techniques"]
    rows = [(f"[{d.CARD.id}](#{d.CARD.id})", d.CARD.title, d.CARD.group, ", ".join(d.CARD.attack)) for d in modules]
    status = weights.status.rstrip(".")
    parts = [
        NOTE.format(source="the detectors and data/weights.json"),
        f"# Detectors\n\n{len(modules)} detectors, in groups whose charges are capped together.\n",
        f"Weights are decibans of evidence, from table {weights.version} of {weights.date}: {status}.\n",
        COUNTED,
        table(("detector", "what it says", "group", "ATT&CK"), rows),
        *(_detector(detector, weights, techniques) for detector in modules),
    ]
    return "\n".join(parts)


def _detector(detector: Detector, weights: WeightTable, techniques: dict[str, str]) -> str:
    card = detector.CARD
    page = re.sub(r"^## ", "### ", cleandoc(detector.__doc__ or ""), flags=re.MULTILINE)
    page = re.sub(r"^(### .*)\n(?!\n)", r"\1\n\n", page, flags=re.MULTILINE)
    weighed = {name: weights.weights[row_key(card.id, name)] for name in card.variants}
    rows = [
        (code(name), f"{weighed[name].weight:g}", _counted(weighed[name].counts), meaning)
        for name, meaning in card.variants.items()
    ]
    examples = [
        f"- {example.title}: {code(example.expect) if example.expect else 'silent'}" for example in detector.EXAMPLES
    ]
    attack = [f"- {identifier} {techniques[identifier]}" for identifier in card.attack]
    lines = [
        f"## {card.id}\n\n{card.title}.\n",
        f"{page}\n",
        f"### Variants\n\n{table(('variant', 'dB', 'counted', 'when'), rows)}",
        "### Examples\n\n" + "\n".join(examples) + "\n",
    ]
    if attack:
        lines.append("### ATT&CK\n\n" + "\n".join(attack) + "\n")
    if card.needs:
        lines.append(f"Asked only where the registry tells: {', '.join(sorted(card.needs))}.\n")
    lines.append(f"Group {card.group} · version {card.version} · since {card.since}\n")
    return "\n".join(lines)


def _counted(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return "provisional"
    return "{malicious} of {of malicious}, {benign} of {of benign}".format_map(counts)


def languages_page() -> str:
    """Return the page of all languages: what each reads, and what it cannot see."""
    modules = discover("lazaretto.languages", ("ID", "VERSION", "DIALECTS"))
    parts = [
        NOTE.format(source="the languages"),
        LANGUAGES_INTRODUCTION,
    ]
    for module in modules:
        dialects = ", ".join(code(name) for name in module.DIALECTS if ":" not in name)
        page = re.sub(r"^## ", "### ", cleandoc(module.__doc__ or "").replace("``", "`"), flags=re.MULTILINE)
        page = re.sub(r"^(### .*)\n(?!\n)", r"\1\n\n", page, flags=re.MULTILINE)
        parts.append(f"## {module.ID}\n\n{page}\n\nDialects: {dialects} · version {module.VERSION}\n")
    return "\n".join(parts)


def facts_page() -> str:
    """Return the vocabulary of facts, with the comments that stand beside it in the code."""
    source = Path(facts.__file__).read_text(encoding="utf-8")
    parts = [
        NOTE.format(source="core/facts.py"),
        "# Facts\n\nWhat a piece of code can do, where, when it runs, and with which value: a closed vocabulary.\n",
    ]
    for vocabulary in (facts.Kind, facts.Moment, facts.Reach):
        notes = dict(re.findall(r'^    (\w+) = "[^"]*"  # (.*)$', source, re.MULTILINE))
        rows = [(code(member.value), notes.get(member.name, "")) for member in vocabulary]
        parts.append(
            f"## {vocabulary.__name__}\n\n{cleandoc(vocabulary.__doc__ or '')}\n\n{table(('value', 'note'), rows)}"
        )
    parts.append(f"A value has at most {facts.MAX_VALUE} characters; a longer one is cut and ends in an ellipsis.\n")
    return "\n".join(parts)


def constants() -> Iterator[tuple[str, str, object, str]]:
    """Yield module, name, value and docstring of every bound in the package (``MAX_...``, ``..._SECONDS``)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, after in zip_longest(body, body[1:]):
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            name = node.targets[0].id
            if not (name.startswith("MAX_") or name.endswith("_SECONDS")):
                continue
            dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            told = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            yield dotted, name, getattr(import_module(dotted), name), str(told).partition("\n\n")[0]


def amount(value: object) -> str:
    """Return a number for a person: whole powers of two in their unit, thousands apart."""
    if isinstance(value, int):
        for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
            if value >= size and value % size == 0:
                return f"{value // size} {unit}"
        return f"{value:_}".replace("_", " ")
    return f"{value:g}" if isinstance(value, float) else str(value)


def limits_page() -> str:
    """Return every bound: of archives, then of each module."""
    archive = [(code(field.name), amount(field.default)) for field in msgspec.structs.fields(Limits)]
    rows = [
        (code(module.removeprefix("lazaretto.")), code(name), amount(value), told)
        for module, name, value, told in constants()
    ]
    return "\n".join(
        [
            NOTE.format(source="the modules' constants"),
            LIMITS_INTRODUCTION,
            f"## Archives\n\n{cleandoc(Limits.__doc__ or '')}\n\n{table(('limit', 'value'), archive)}",
            f"## Modules\n\n{table(('module', 'name', 'value', 'what it bounds'), rows)}",
        ]
    )


def lockfiles_page() -> str:
    """Return every lockfile format: the names of its files, then what its module says of it."""
    modules = discover("lazaretto.lockfiles", ("MATCHES", "ECOSYSTEM", "parse"))
    rows = [
        (
            f"[{module.__name__.rpartition('.')[2]}](#{module.__name__.rpartition('.')[2]})",
            ", ".join(map(code, module.MATCHES)),
            module.ECOSYSTEM or "each entry says",
        )
        for module in modules
    ]
    parts = [
        NOTE.format(source="the lockfile formats"),
        "# Lockfiles\n\nThe files that `lazaretto check` looks for ([guide](../guides/lockfiles.md)).\n",
        table(("format", "files", "ecosystem"), rows),
    ]
    for module in modules:
        told = (module.__doc__ or "").strip().replace("``", "`")
        parts.append(f"## {module.__name__.rpartition('.')[2]}\n\n{told}\n")
    return "\n".join(parts)


def places_page() -> str:
    """Return what the module of each kind of place says of it."""
    parts = [
        NOTE.format(source="the kinds of places"),
        "# Places\n\nWhere `lazaretto inventory add PATH` finds releases ([guide](../guides/exposure.md)).\n",
    ]
    for module in discover("lazaretto.places", ("KIND", "OWNS", "READS", "claim", "read")):
        told = (module.__doc__ or "").strip().replace("``", "`")
        parts.append(f"## {module.KIND}\n\n{told}\n")
    return "\n".join(parts)


def command_line_page() -> str:
    """Return every command with its arguments, from the parser itself."""
    parser = build()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    parts = [NOTE.format(source="the parsers of the surfaces"), f"# Command line\n\n{parser.description}\n"]
    choices = {f"lazaretto {name}": command for name, command in commands.choices.items() if command.description}
    inner = {f"{name} {act}": one for name, command in choices.items() for act, one in _choices(command).items()}
    for name, command in (choices | inner | _acts()).items():
        rows = []
        for action in command._actions:  # noqa: SLF001 - argparse has no public way to list them
            if action.dest == "help" or isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
                continue
            written = ", ".join(action.option_strings) or str(action.metavar or action.dest).upper()
            takes = "|".join(map(str, action.choices)) if action.choices else str(action.metavar or "")
            rows.append((code(written), code(takes) if action.option_strings else "", action.help or ""))
        parts.append(f"## {name}\n\n{command.description}\n\n{table(('argument', 'value', 'meaning'), rows)}")
        if command.epilog:
            parts.append(f"```text\n{command.epilog.rstrip()}\n```\n")
    parts.append(f"```text\n{(parser.epilog or '').rstrip()}\n```\n")
    return "\n".join(parts)


def _acts() -> dict[str, argparse.ArgumentParser]:
    """Return the commands of the firewall and of the audit, by the words that one types."""
    words = firewall()
    found = {}
    for word, parser in _choices(words).items():
        for act, command in _choices(parser).items():
            found[f"lazaretto {word} {act}"] = command
    return found


def _choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = (dict(one.choices) for one in parser._actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001
    return next(groups, {})


PAGES = {
    "cli.md": command_line_page,
    "detectors.md": detectors_page,
    "languages.md": languages_page,
    "facts.md": facts_page,
    "limits.md": limits_page,
    "lockfiles.md": lockfiles_page,
    "places.md": places_page,
}


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit status."""
    checking = "--check" in arguments
    REFERENCE.mkdir(parents=True, exist_ok=True)
    stale = []
    for path in sorted(REFERENCE.glob("*.md")):
        if path.name not in PAGES:
            stale.append(path.name)
            if not checking:
                path.unlink()
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not checking:
            path.write_text(text, encoding="utf-8")
    if checking and stale:
        print(f"docs/reference is not as the code says ({', '.join(stale)}): run `make docs`")
        return 1
    print(f"docs/reference: {', '.join(stale) or 'nothing'} {'stale' if checking else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
