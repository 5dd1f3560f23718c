"""What a command line is most likely about; to be wrong costs time only."""

import pytest

from lazaretto.app.likely import ecosystem
from lazaretto.infra._reader import dialects_of
from lazaretto.infra._zygote import shipped


@pytest.mark.parametrize(
    ("words", "house"),
    [
        ("axios@1.14.0", "npm"),
        ("npm axios 1.13.6 1.14.0", "npm"),
        ("pypi requests 2.32.4 2.32.5", "pypi"),
        ("--format json pkg:pypi/requests@2.32.5", "pypi"),
        ("pypi:requests", "pypi"),
        ("before.tgz after.tgz", "npm"),
        ("./requests-2.32.5-py3-none-any.whl", "pypi"),
        ("a-1.tar.gz", "pypi"),
        ("", "npm"),
    ],
)
def test_words_tell_an_ecosystem(words: str, house: str) -> None:
    """By its name, a prefix, or the ending of an archive; a bare name is npm's, as everywhere."""
    assert ecosystem(words.split()) == house


def test_every_ecosystem_has_a_language_of_its_own() -> None:
    """What is expected of an ecosystem can be loaded; nothing is of one that nobody knows."""
    languages = list(shipped().values())
    assert dialects_of(languages, "npm") == ["javascript"]
    assert dialects_of(languages, "pypi") == ["python"]
    assert dialects_of(languages, "nobody's") == []
