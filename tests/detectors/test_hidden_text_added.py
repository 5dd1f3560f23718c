"""Single invisible characters: data between quotes and brackets, never in comments and names."""

import pytest

from lazaretto.core.finding import Example
from lazaretto.core.question import package_json
from lazaretto.detectors import hidden_text_added
from tests.examples import build_update


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exports.lre = '\u202a';", []),
        ('exports.both = "\u202a\u202c";', []),
        ("exports.class = /[\\s\u202a-\u202e]/;", []),
        ("exports.filler = '\u3164';", []),
        ("exports.url = 'https://a.invalid/'; exports.lre = '\u202a';", []),
        ("exports.text = 'admin\u202e \u2066 user';", ["bidi"]),
        ("exports.lre = '\u202a'; // '\u202e'", ["bidi"]),
        ("/* '\u202e' */ exports.a = 1;", ["bidi"]),
        ("var \u3164 = 1;", ["invisible"]),
        ("exports.a = (x, \u3164) => x[\u3164];", ["invisible"]),
    ],
)
def test_a_character_by_itself_is_data(line: str, told: list[str]) -> None:
    """A literal of one or two characters and a character class hide nothing; all else does."""
    files = {"package.json": package_json("1.0.0"), "index.js": "exports.z = 0;\n"}
    after = {"package.json": package_json("1.0.1"), "index.js": f"exports.z = 0;\n{line}\n"}
    update = build_update(Example(title="x", before=files, after=after))

    assert [finding.variant for finding in hidden_text_added.detect(update)] == told
