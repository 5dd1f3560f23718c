"""The short way to read a dependency specifier gives what the library gives, or gives way to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.model import DependencyGroup
from lazaretto.ecosystems.pypi import requirements
from lazaretto.ecosystems.pypi.versions import parse, version

NAMES = st.sampled_from(["requests", "A.b_c", "x", "PySocks", "zope.interface", "-bad", "a-"])
SPECIFIERS = st.sampled_from(
    ["", ">=2", ">=2.0", "!=1.5.7", "<4", "~=1.4", "==2.*", "==1.0rc1", "=== 1", ">= 1.0", "<2.0.0"]
)
MARKERS = st.sampled_from(
    ["", '; extra == "socks"', "; extra == 'dev'", ' ; python_version < "3.8"', "; python_version >= '3.10'",
     '; extra == "A_b"', '; sys_platform == "win32" and extra == "x"', '; os_name == "nt"', "; extra != 'x'"]
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Draw a line of metadata, plain or not."""
    extra = draw(st.sampled_from(["", "[socks]", "[a,b]", "[]", "[A-b]"]))
    joined = ",".join(draw(st.lists(SPECIFIERS, max_size=3)))
    body = draw(st.sampled_from(["{}", " ({})", "({})", " {}", "({}"])).format(joined)
    return draw(NAMES) + extra + body + draw(MARKERS)


@given(lines() | st.text(max_size=30))
def test_the_short_way_agrees_with_the_library(text: str) -> None:
    """Whatever the short way answers is exactly what packaging answers."""
    short = requirements._plain(text, DependencyGroup.RUNTIME)
    if short is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements, "_plain", lambda *_: None)
        assert requirements.dependency.__wrapped__(text) == short


def test_usual_lines_take_the_short_way() -> None:
    """Without this the property above could hold of nothing."""
    for text in ("charset_normalizer<4,>=2", 'PySocks!=1.5.7,>=1.5.6; extra == "socks"', "idna", "certifi>=2017.4.17"):
        assert requirements._plain(text, DependencyGroup.RUNTIME) is not None, text


@given(st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,4}", fullmatch=True))
def test_canonical_versions_are_those_of_the_library(text: str) -> None:
    """The usual release number is written as PEP 440 writes it."""
    assert version(text) == str(parse(text))
