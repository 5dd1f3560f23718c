"""The part of YAML that settings are written in: read as YAML says, or refused with a line; never read wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.plain_yaml import YamlError, scalars

SETTINGS = """\
# ours
version: 2  # the second
updates:
  - package-ecosystem: "npm"
    directories: ["/a", '/b']
    cooldown:
      default-days: 7
  -
    package-ecosystem: pip
    empty:
list:
- one
- 'it''s: two'
- url: https://x.invalid/#part
"@acme/x": yes
"""


def test_settings_are_read_with_their_lines() -> None:
    """Nested mappings, lists at both indents, comments, quotes: each value at its path and line."""
    assert [(".".join(one.path), one.value, one.line) for one in scalars(SETTINGS)] == [
        ("version", "2", 2),
        ("updates.0.package-ecosystem", "npm", 4),
        ("updates.0.directories.0", "/a", 5),
        ("updates.0.directories.1", "/b", 5),
        ("updates.0.cooldown.default-days", "7", 7),
        ("updates.1.package-ecosystem", "pip", 9),
        ("updates.1.empty", "", 10),
        ("list.0", "one", 12),
        ("list.1", "it's: two", 13),
        ("list.2.url", "https://x.invalid/#part", 14),
        ("@acme/x", "yes", 15),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &x 1\n", 1),
        ("a: *x\n", 1),
        ("a: !tag 1\n", 1),
        ("a: |\n  text\n", 1),
        ("a: {b: 1}\n", 1),
        ("a: [1,\n  2]\n", 1),
        ("a: 1\n  b: 2\n", 2),
        ("a:\n\tb: 1\n", 2),
        ("a: 'open\n", 1),
        ("just words\n", 1),
        ("a: 1\n...\n", 2),
        ("  a: 1\nb: 2\n", 2),
        ("a:\n" + "".join(f"{' ' * n}k:\n" for n in range(1, 40)), 22),
    ],
)
def test_what_is_not_understood_is_refused(text: str, line: int) -> None:
    """Anchors, tags, flow mappings, texts over several lines: refused, with the line."""
    with pytest.raises(YamlError) as caught:
        scalars(text)

    assert caught.value.line == line


@given(text=st.one_of(st.text(max_size=80), st.text(st.sampled_from("ab:- \n'\"#[]{}&*|,\t"), max_size=80)))
def test_any_text_gives_scalars_or_a_line(text: str) -> None:
    """Any text at all: values whose lines are in it, or one error with its line."""
    try:
        read = scalars(text)
    except YamlError as error:
        assert error.line >= 1
        return

    count = len(text.splitlines())
    assert all(1 <= one.line <= count for one in read)


KEYS = st.text("abcxyz-", min_size=1, max_size=8).filter(lambda key: not key.startswith("-"))
TREES = st.recursive(
    st.integers(0, 99).map(str), lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=8
)


@given(tree=st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
def test_what_is_written_is_read(tree: dict[str, object]) -> None:
    """A tree of mappings, written down, comes back."""
    lines: list[str] = []
    expected: dict[tuple[str, ...], str] = {}

    def write(value: dict[str, object], path: tuple[str, ...]) -> None:
        for key, inner in value.items():
            indent = "  " * len(path)
            if isinstance(inner, dict):
                lines.append(f"{indent}{key}:")
                write(inner, (*path, key))
            else:
                lines.append(f"{indent}{key}: {inner}")
                expected[(*path, key)] = str(inner)

    write(tree, ())
    assert {one.path: one.value for one in scalars("\n".join(lines))} == expected
