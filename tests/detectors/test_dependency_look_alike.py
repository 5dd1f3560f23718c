"""Names that are meant to be taken for others."""

import pytest

from lazaretto.detectors.dependency_look_alike import look_alike

KNOWN = frozenset(
    {"lodash", "crypto-js", "express", "@babel/core", "react", "python-dateutil", "requests", "chalk", "ws"}
)


@pytest.mark.parametrize(
    ("name", "resembled"),
    [
        ("plain-crypto-js", ("affixed", "crypto-js")),
        ("cryptojs", ("misspelt", "crypto-js")),
        ("crypt0-js", ("misspelt", "crypto-js")),
        ("lodahs", ("misspelt", "lodash")),
        ("1odash", ("misspelt", "lodash")),
        ("expres", ("misspelt", "express")),
        ("requests-helper", ("affixed", "requests")),
        ("python_dateutil", ("misspelt", "python-dateutil")),
        ("babel-core", ("scope", "@babel/core")),
        ("@someone/lodash", ("scope", "lodash")),
        ("flatmap-stream", None),
        ("wss", None),
        ("x", None),
        ("", None),
    ],
)
def test_names(name: str, resembled: tuple[str, str] | None) -> None:
    """Edits, look-alike letters, separators, scopes and affixes are seen; short and other names are not."""
    assert look_alike(name, KNOWN) == resembled
