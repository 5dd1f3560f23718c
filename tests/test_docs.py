"""The docs say what is so: links lead somewhere, paths exist, commands parse, settings load."""

import argparse
import re
import shlex
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

from lazaretto import settings
from lazaretto.settings.firewall import KEYS
from lazaretto.surfaces.cli.parser import build
from lazaretto.surfaces.firewall.parser import build as firewall

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`((?:src|tests|tools|docs|requirements|replays|evals|changelog\.d|core|app|infra)/[\w./-]*)`")
COMMAND = re.compile(r"^\s*(?:\$ )?((?:lazaretto|make) [^#\n]*)", re.MULTILINE)
INLINE = re.compile(r"`((?:lazaretto|make) [^`]*)`")


def relative(path: Path) -> str:
    """Return a path as a person writes it."""
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Markdown hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path, first: str) -> list[list[str]]:
    """Return the words of every command in a page that starts with ``first``."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(body for kind, body in FENCE.findall(text) if kind in {"console", "text", "sh"})
    written = COMMAND.findall(blocks) + [" ".join(one.split()) for one in INLINE.findall(text)]
    # What stands behind three spaces is a remark.
    return [shlex.split(re.split(r"\s{3,}", one)[0]) for one in written if one.startswith(f"{first} ")]


@pytest.fixture(params=PAGES, ids=relative)
def page(request: pytest.FixtureRequest) -> Path:
    """Return each page in turn."""
    path = request.param
    assert isinstance(path, Path)
    return path


def test_links_lead_somewhere(page: Path) -> None:
    """Every link inside the project leads to a file, and its anchor to a heading."""
    dead = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(target)

    assert not dead


def test_paths_exist(page: Path) -> None:
    """Every path that is set as code is there."""
    text = page.read_text(encoding="utf-8")
    missing = [
        path
        for path in PATH.findall(text)
        if not (ROOT / path).exists() and not (ROOT / "src" / "lazaretto" / path).exists()
    ]

    assert not missing


def test_commands_exist(page: Path) -> None:
    """Every ``lazaretto`` command that a page shows is one that the parser takes."""
    parsers = {"firewall": firewall(), "audit": firewall()}
    for words in commands(page, "lazaretto"):
        parser = parsers.get(words[1], build())
        if "…" in words or any(word.isupper() for word in words[1:2]):
            continue
        with suppress(SystemExit):
            parser.parse_args(words[1:])
            continue
        assert words[1:] in (["--help"], ["--version"]), f"{shlex.join(words)} is no command"


def test_targets_exist(page: Path) -> None:
    """Every ``make`` target that a page names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for words in commands(page, "make") for word in words[1:] if "=" not in word}

    assert named <= targets


def test_every_command_is_shown() -> None:
    """The README shows each command of the program."""
    choices = next(a.choices for a in build()._actions if isinstance(a, argparse._SubParsersAction))
    shown = {words[1] for words in commands(ROOT / "README.md", "lazaretto")}

    assert shown >= set(choices)


def test_readme_shows_what_is_printed() -> None:
    """The example in the README is what the program prints of a held release (``make golden``)."""
    held = (ROOT / "tests" / "golden" / "outputs" / "terminal" / "held.txt").read_text(encoding="utf-8")
    blocks = [body for kind, body in FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8")) if kind == "text"]

    assert re.sub(r" +$", "", held, flags=re.MULTILINE) in blocks


def test_every_page_is_reachable() -> None:
    """No page of the docs is lost: the index links to it."""
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(index.read_text(encoding="utf-8"))}
    lost = [relative(page) for page in (ROOT / "docs").rglob("*.md") if page != index and page not in linked]

    assert not lost


def test_settings_example_loads(tmp_path: Path) -> None:
    """The example of the guide is a file that the program takes, and it names every key that there is."""
    text = (ROOT / "docs" / "guides" / "settings.md").read_text(encoding="utf-8")
    example = next(body for kind, body in FENCE.findall(text) if kind == "toml")
    (tmp_path / settings.FILE_NAME).write_text(example, encoding="utf-8")

    loaded = settings.load({}, tmp_path, tmp_path)

    assert loaded.policy.waivers[0].by == "Ada Example"
    assert tomllib.loads(example).keys() >= {"policy", "waiver", "paths", "engine", "plugins"}


def test_firewall_example_loads(tmp_path: Path) -> None:
    """The example of the firewall's guide is a file that the program takes, and it names every key that there is."""
    text = (ROOT / "docs" / "guides" / "firewall.md").read_text(encoding="utf-8")
    example = next(body for kind, body in FENCE.findall(text) if kind == "toml")
    (tmp_path / settings.FILE_NAME).write_text(example, encoding="utf-8")

    assert settings.load({}, tmp_path, tmp_path).firewall is not None
    assert tomllib.loads(example)["firewall"].keys() == KEYS


def test_exit_codes_are_told() -> None:
    """The README's table of exit codes is the one of the program's own help."""
    epilog = build().epilog or ""
    own = dict(re.findall(r"^  (\d)  (.+)$", epilog, re.MULTILINE))
    told = dict(re.findall(r"^\| (\d) \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))

    assert told == own


def test_dependencies_are_argued_for() -> None:
    """Every pinned package that is needed to run has its row, with the version that is pinned."""
    locks = [(ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("runtime", "firewall")]
    pinned = re.findall(r"^(\S+)==(\S+)", "\n".join(locks), re.MULTILINE)
    rows = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")

    assert pinned
    for name, version in pinned:
        assert re.search(
            rf"^\| {re.escape(name)} \|.*\| {re.escape(version)}, \d{{4}}-\d{{2}} \|", rows, re.MULTILINE
        ), name


def test_fragments_are_named_by_kind() -> None:
    """A fragment of the changelog says in its name what kind of change it tells."""
    names = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]

    assert [
        name for name in names if not re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md", name)
    ] == []
