"""A line of a bundle may hold a table of all letters; what hides code from its reader is told in every line."""

import pytest

from lazaretto.core.question import package_json
from tests.evasion.specimen import Specimen, ask, told

_LONG = "exports.a=1;" * 400
_BIDI, _FILLER = "\u202e", "\u1160"
_FOUND = "hidden-text-added/"


def _said(line: str) -> str:
    before = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
    after = {"package.json": package_json("1.0.1"), "index.js": f"{before['index.js']}{line}\nexports.z = 1;\n"}
    return told(ask(Specimen(row="hidden", title="table", before=before, after=after)))


@pytest.mark.parametrize("letters", [f"β•‥‧{_BIDI}\\0耻½", f"îʬ{_FILLER}eĀ", f"‧{_BIDI}\u202c\\0\u202a耻"])
def test_letters_in_a_bundle(letters: str) -> None:
    """Entities, names and patterns are written out in one long line."""
    assert _FOUND not in _said(f"{_LONG}exports.t=`{letters}`;")


@pytest.mark.parametrize(
    "line",
    [
        f"exports.t=`β•‥‧{_BIDI}\\0耻½`;",
        f"{_LONG}if(a!==`user{_BIDI} \u2066// admin\u2069 \u2066`)exports.t=1;",
        f"{_LONG}exports.t=`β•‥‧{_BIDI} admin or not, nobody sees what stands here`;",
        f"{_LONG}exports.t=`nobody sees what stands here {_BIDI}‧‧`;",
        f"{_LONG}/* β•‥‧{_BIDI}耻½ */",
        f"{_LONG}exports.t=`{f'β{_BIDI}½' * 17}`;",
        f"{_LONG}exports.t=`β{_FILLER * 8}½`;",
    ],
)
def test_what_hides_code(line: str) -> None:
    """A short line is read, a word among ASCII is no table, a comment none either, and many are a payload."""
    assert _FOUND in _said(line)
