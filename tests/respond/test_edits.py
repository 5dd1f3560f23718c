"""Edits of manifests: the release is out, everything else is as it was, and what cannot be done is said."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.respond.edits import ByHandError, package_json, pnpm_workspace, pyproject, requirements

PLAIN = """{
  "name": "app",
  "dependencies": {
    "axios": "^1.13.0",
    "left": "1.0.0"
  }
}
"""


def test_npm_fixes_a_direct_range_and_refers_to_it() -> None:
    """Npm refuses an override of a direct dependency unless both say the same."""
    found = json.loads(package_json(PLAIN, "npm", "axios", "1.14.0"))
    assert found["dependencies"] == {"axios": "1.14.0", "left": "1.0.0"}
    assert found["overrides"] == {"axios": "$axios"}


def test_npm_overrides_what_others_bring() -> None:
    """What the project does not ask for itself is overridden by its version."""
    found = json.loads(package_json(PLAIN.replace("axios", "sdk"), "npm", "axios", "1.14.0"))
    assert found["dependencies"]["sdk"] == "^1.13.0"
    assert found["overrides"] == {"axios": "1.14.0"}


@pytest.mark.parametrize(
    ("client", "path"), [("pnpm", ("pnpm", "overrides")), ("yarn", ("resolutions",)), ("bun", ("overrides",))]
)
def test_each_client_has_its_own_word(client: str, path: tuple[str, ...]) -> None:
    """pnpm, Yarn and bun each read another member."""
    found = json.loads(package_json(PLAIN, client, "axios", "1.14.0"))
    for part in path:
        found = found[part]
    assert found == {"axios": "1.14.0"}


def test_what_is_there_stays() -> None:
    """Lines that the change does not need are as they were, and a member that is there grows."""
    text = PLAIN.replace('"name": "app",', '"name": "app",\n  "overrides": {\n    "other": "2.0.0"\n  },')
    after = package_json(text, "npm", "axios", "1.14.0")
    assert json.loads(after)["overrides"] == {"other": "2.0.0", "axios": "$axios"}
    assert [line for line in text.splitlines() if "left" in line or "name" in line] == [
        line for line in after.splitlines() if "left" in line or "name" in line
    ]
    again = package_json(after, "npm", "axios", "1.14.2")
    assert json.loads(again)["dependencies"]["axios"] == "1.14.2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "no object"),
        ("{", "cannot be read"),
        ('{"overrides": []}', "is no object"),
        ('{"overrides": {"axios": {".": "1.0.0"}}}', "has rules for axios already"),
    ],
)
def test_what_cannot_be_edited_is_said(text: str, why: str) -> None:
    """Whatever is not understood is left to a person."""
    with pytest.raises(ByHandError, match=why):
        package_json(text, "npm", "axios", "1.14.0")


def test_a_member_that_is_written_twice() -> None:
    """The last one counts for every client, so that it is the one that is changed; brackets in texts mislead nobody."""
    text = '{"a": "}{][", "dependencies": {"axios": "1"}, "b": [{"x": 1}], "dependencies": {"axios": "^1.0.0"}}'
    after = package_json(text, "npm", "axios", "1.14.0")
    assert json.loads(after)["dependencies"] == {"axios": "1.14.0"}
    assert after.startswith('{"a": "}{][", "dependencies": {"axios": "1"}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(
    document=st.dictionaries(st.text(max_size=8), JSON, max_size=5),
    direct=st.booleans(),
    indent=st.sampled_from([None, 2, "\t"]),
    client=st.sampled_from(["npm", "pnpm", "yarn", "bun"]),
)
def test_any_manifest_keeps_everything_else(
    document: dict[str, object], direct: bool, indent: int | str | None, client: str
) -> None:
    """The edited text is JSON of which only the wanted members differ."""
    if direct:
        document = {**document, "dependencies": {"axios": "^1.0.0", "b": "1"}}
    text = json.dumps(document, indent=indent)
    try:
        after = json.loads(package_json(text, client, "axios", "1.14.0"))
    except ByHandError:
        return
    changed = {key for key in {*document, *after} if document.get(key) != after.get(key)}
    assert changed <= {"dependencies", "devDependencies", "optionalDependencies", "overrides", "resolutions", "pnpm"}
    assert len(changed) == (2 if direct else 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'overrides:\n  "axios": "1.14.0"\n'),
        ("packages:\n  - a", 'packages:\n  - a\noverrides:\n  "axios": "1.14.0"\n'),
        ("overrides:\n  b: 1.0.0\n", 'overrides:\n  "axios": "1.14.0"\n  b: 1.0.0\n'),
    ],
)
def test_pnpm_workspace(before: str, after: str) -> None:
    """Overrides of a workspace are written where pnpm 10 reads them."""
    assert pnpm_workspace(before, "axios", "1.14.0") == after


@pytest.mark.parametrize("text", ["overrides:\n  axios: 1.0.0\n", "overrides: {b: 1.0.0}\n"])
def test_pnpm_workspace_by_hand(text: str) -> None:
    """What is there already, or stands on one line, is left to a person."""
    with pytest.raises(ByHandError):
        pnpm_workspace(text, "axios", "1.14.0")


def test_pyproject() -> None:
    """Uv and PDM have a table each; a table that is there grows, a key that is there is left to a person."""
    bare = '[project]\nname = "a"'
    once = pyproject(bare, "uv", "litellm", "1.82.6")
    assert tomllib.loads(once)["tool"]["uv"]["override-dependencies"] == ["litellm==1.82.6"]
    with pytest.raises(ByHandError, match="already"):
        pyproject(once, "uv", "litellm", "1.82.6")
    table = tomllib.loads(pyproject("[tool.uv]\npackage = false\n", "uv", "a", "1"))
    assert table["tool"]["uv"] == {"override-dependencies": ["a==1"], "package": False}
    pdm = pyproject(bare, "pdm", "a", "1")
    assert tomllib.loads(pdm)["tool"]["pdm"]["resolution"]["overrides"] == {"a": "1"}
    more = tomllib.loads(pyproject(pdm, "pdm", "b", "2"))
    assert more["tool"]["pdm"]["resolution"]["overrides"] == {"a": "1", "b": "2"}
    with pytest.raises(ByHandError, match="already"):
        pyproject(pdm, "pdm", "a", "2")
    with pytest.raises(ByHandError, match="cannot be read"):
        pyproject("[", "uv", "a", "1")


def test_requirements() -> None:
    """The pin is replaced, however its name is spelled; one with hashes is left to a person."""
    assert requirements("b==1\nLite_LLM[x] == 1.82.7 ; a\n", "lite-llm", "1.82.7", "1.82.6") == (
        "b==1\nLite_LLM[x] == 1.82.6 ; a\n"
    )
    with pytest.raises(ByHandError, match="hashes"):
        requirements("a==1 --hash=sha256:00\n", "a", "1", "2")
    with pytest.raises(ByHandError, match="no line"):
        requirements("a>=1\n", "a", "1", "2")
