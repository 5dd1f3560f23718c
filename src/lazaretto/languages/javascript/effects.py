"""What the things of the outside world do when they are called: paths to effects.

An effect is ``(name, position)``: the name selects how the call is read (see ``calls.py``) and the
position says which argument carries the value. Paths are those of ``Sym.path``.
"""

from functools import cache

ALIASES = {
    "fs/promises": "fs",
    "fs-extra": "fs",
    "graceful-fs": "fs",
    "mz/fs": "fs",
    "path/posix": "path",
    "path/win32": "path",
    "dns/promises": "dns",
    "timers/promises": "timers",
    "https": "http",
    "http2": "http",
    "follow-redirects/http": "http",
    "follow-redirects/https": "http",
    "mz/child_process": "child_process",
    "isomorphic-fetch": "node-fetch",
    "cross-fetch": "node-fetch",
    "node-fetch-native": "node-fetch",
    "request-promise": "request",
    "request-promise-native": "request",
    "axios/dist/node/axios.cjs": "axios",
    "react-native-axios": "axios",
    "isomorphic-ws": "ws",
    "@octokit/core": "@octokit/rest",
    "octokit": "@octokit/rest",
}
"""Modules that offer the same functions as another one. Facts keep the specifier as written."""

GLOBAL_OBJECTS = frozenset({"globalThis", "global", "window", "self", "frames", "top", "parent"})

Effect = tuple[str, int]


def _table() -> dict[str, Effect]:
    table: dict[str, Effect] = {
        "require": ("import", 0),
        "require.resolve": ("import", 0),
        "import": ("import", 0),
        "importScripts": ("import", 0),
        "@module.createRequire": ("create_require", 0),
        "@module.Module._load": ("import", 0),
        "@module._load": ("import", 0),
        "@module.register": ("import", 0),
        "eval": ("eval", 0),
        "Function": ("function", -1),
        "AsyncFunction": ("function", -1),
        "WebAssembly.instantiate": ("wasm", 0),
        "WebAssembly.instantiateStreaming": ("wasm", 0),
        "WebAssembly.compile": ("wasm", 0),
        "WebAssembly.Module": ("wasm", 0),
        "WebAssembly.Instance": ("wasm", 0),
        "execScript": ("eval", 0),
        "setTimeout": ("timer", 0),
        "setInterval": ("timer", 0),
        "setImmediate": ("timer", 0),
        "fetch": ("net", 0),
        "@node-fetch": ("net", 0),
        "navigator.sendBeacon": ("net", 0),
        "XMLHttpRequest().open": ("xhr", 1),
        "WebSocket": ("socket", 0),
        "EventSource": ("socket", 0),
        "@ws": ("socket", 0),
        "@ws.WebSocket": ("socket", 0),
        "@undici.request": ("net", 0),
        "@undici.fetch": ("net", 0),
        "@undici.stream": ("net", 0),
        "@download": ("net", 0),
        "@got.got": ("net", 0),
        "@node-fetch.fetch": ("net", 0),
        "@socket.io-client": ("socket", 0),
        "@socket.io-client.io": ("socket", 0),
        "@socket.io-client.connect": ("socket", 0),
        "@@octokit/rest.Octokit": ("client", 0),
        "@canvas.loadImage": ("net", 0),
        "@tls.connect": ("socket_connect", 0),
        "@net.connect": ("socket_connect", 0),
        "@net.createConnection": ("socket_connect", 0),
        "@net.Socket().connect": ("socket_connect", 0),
        "@inspector.open": ("debugger", 0),
        "@ftp().connect": ("socket_connect", 0),
        "@promise-ftp().connect": ("socket_connect", 0),
        "@basic-ftp.Client().access": ("socket_connect", 0),
        "@ssh2.Client().connect": ("socket_connect", 0),
        "@ssh2-sftp-client().connect": ("socket_connect", 0),
        "@http.connect": ("net", 0),
        "@dgram.createSocket().send": ("datagram", 0),
        "@dgram.createSocket().connect": ("datagram", 0),
        "process.binding": ("import_native", 0),
        "process.dlopen": ("import_native", 1),
        "process.getBuiltinModule": ("import", 0),
        "Worker": ("worker", 0),
        "SharedWorker": ("worker", 0),
        "@worker_threads.Worker": ("worker", 0),
        "Deno.run": ("spawn_argv", 0),
        "Deno.Command": ("spawn", 0),
        "Bun.spawn": ("spawn_argv", 0),
        "Bun.spawnSync": ("spawn_argv", 0),
        "Bun.write": ("write", 0),
        "Bun.file": ("read", 0),
        "@shelljs.exec": ("spawn_shell", 0),
        "@shelljs.rm": ("delete", -1),
        "@shelljs.cat": ("read", 0),
        "@cross-spawn": ("spawn", 0),
        "@cross-spawn.spawn": ("spawn", 0),
        "@cross-spawn.sync": ("spawn", 0),
        "@execa": ("spawn", 0),
        "@execa.execa": ("spawn", 0),
        "@execa.execaSync": ("spawn", 0),
        "@execa.sync": ("spawn", 0),
        "@execa.command": ("spawn_shell", 0),
        "@execa.execaCommand": ("spawn_shell", 0),
        "@execa.$": ("spawn_shell", 0),
        "@zx.$": ("spawn_shell", 0),
        "@tinyexec.x": ("spawn", 0),
        "@node-pty.spawn": ("spawn", 0),
        "@rimraf": ("delete", 0),
        "@rimraf.sync": ("delete", 0),
        "@del": ("delete", 0),
        "@keytar.getPassword": ("secret", 0),
        "@keytar.findPassword": ("secret", 0),
        "@keytar.findCredentials": ("secret", 0),
        "crypto.subtle.decrypt": ("decrypt", 0),
        "@crypto.subtle.decrypt": ("decrypt", 0),
        "@crypto.webcrypto.subtle.decrypt": ("decrypt", 0),
        "@crypto.privateDecrypt": ("decrypt", -2),
        "@crypto-js.AES.decrypt": ("decrypt", -2),
        "CryptoJS.AES.decrypt": ("decrypt", -2),
        "@dotenv.config": ("dotenv", 0),
        "process.report.getReport": ("report", 0),
        "chrome.cookies.getAll": ("jar", 0),
        "chrome.cookies.get": ("jar", 0),
        "browser.cookies.getAll": ("jar", 0),
        "browser.cookies.get": ("jar", 0),
        "navigator.clipboard.readText": ("clipboard", 0),
        "navigator.clipboard.read": ("clipboard", 0),
        "@electron.clipboard.readText": ("clipboard", 0),
        "@clipboardy.read": ("clipboard", 0),
        "@clipboardy.readSync": ("clipboard", 0),
        "navigator.clipboard.writeText": ("exchange", 0),
        "@electron.clipboard.writeText": ("exchange", 0),
        "@clipboardy.write": ("exchange", 0),
        "@clipboardy.writeSync": ("exchange", 0),
        "@copy-paste.copy": ("exchange", 0),
        "@copy-paste.paste": ("clipboard", 0),
        "@node-global-key-listener.GlobalKeyboardListener": ("keyboard", 0),
        "@iohook.start": ("keyboard", 0),
        "@uiohook-napi.uIOhook.start": ("keyboard", 0),
        "@screenshot-desktop": ("screen", 0),
        "@robotjs.screen.capture": ("screen", 0),
        "@fs.chmod": ("write", 0),
        "@fs.chmodSync": ("write", 0),
        "ethereum.request": ("wallet", 0),
        "ethereum.send": ("wallet", 0),
        "solana.connect": ("wallet", 0),
        "solana.signTransaction": ("wallet", 0),
        "solana.signAndSendTransaction": ("wallet", 0),
        "phantom.solana.connect": ("wallet", 0),
        **{f"element:{tag}.setAttribute": ("visited", 1) for tag in ("script", "img", "iframe", "link", "form", "*")},
        "location.assign": ("visited", 0),
        "location.replace": ("visited", 0),
        "document.location.assign": ("visited", 0),
        "document.location.replace": ("visited", 0),
        "open": ("visited", 0),
        "document.createElement": ("element", 0),
        "document.querySelector": ("field", 0),
        "document.getElementById": ("field", 0),
        "document.getElementsByName": ("field", 0),
        "@os.hostname": ("machine", 0),
        "@os.userInfo": ("machine", 0),
        "@os.networkInterfaces": ("machine", 0),
        "localStorage.getItem": ("kept", 0),
        "sessionStorage.getItem": ("kept", 0),
    }
    groups: tuple[tuple[str, str, Effect], ...] = (
        ("@child_process.", "exec execSync", ("spawn_shell", 0)),
        ("@child_process.", "spawn spawnSync execFile execFileSync", ("spawn", 0)),
        ("@child_process.", "fork", ("fork", 0)),
        ("@vm.", "runInThisContext runInNewContext runInContext compileFunction Script SourceTextModule", ("eval", 0)),
        ("@module.", "Module()._compile", ("eval", 0)),
        ("@http.", "get request", ("net", 0)),
        ("@http.", "createServer createSecureServer Server", ("server", 0)),
        ("@net.", "createServer Server", ("server", 0)),
        ("@tls.", "createServer Server", ("server", 0)),
        ("@axios.", "get post put patch delete head options request postForm putForm patchForm", ("net", 0)),
        ("@got.got.", "get post put patch delete head stream", ("net", 0)),
        ("@got.", "get post put patch delete head stream", ("net", 0)),
        ("@got.stream.", "get post put patch delete", ("net", 0)),
        ("@got.got.stream.", "get post put patch delete", ("net", 0)),
        ("@request.", "get post put patch delete del head", ("net", 0)),
        ("@needle.", "get post put patch delete head", ("net", 0)),
        ("@superagent.", "get post put patch delete del head", ("net", 0)),
        ("@ky.", "get post put patch delete head", ("net", 0)),
        ("@phin.", "promisified unpromisified", ("net", 0)),
        ("@nodemailer.", "createTransport().sendMail createTransporter().sendMail", ("net", 0)),
        ("$.", "ajax get post getJSON getScript", ("net", 0)),
        ("jQuery.", "ajax get post getJSON getScript", ("net", 0)),
        ("@", "axios got request needle superagent ky phin bent ofetch wretch", ("net", 0)),
        (
            "@dns.",
            "lookup reverse resolve resolve4 resolve6 resolveTxt resolveMx resolveNs resolveCname resolveSrv",
            ("dns", 0),
        ),
        (
            "@dns.Resolver().",
            "resolve resolve4 resolve6 resolveTxt resolveMx resolveNs resolveCname resolveSrv resolveAny",
            ("dns", 0),
        ),
        ("@crypto.", "createDecipher createDecipheriv", ("decipher", 0)),
    )
    for prefix, names, effect in groups:
        table.update({prefix + name: effect for name in names.split()})
    reads = "readFile createReadStream open readdir opendir readJson readJSON readlink access exists"
    writes = (
        "writeFile appendFile createWriteStream outputFile writeJson writeJSON outputJson ensureFile truncate utimes "
        "mkdir ensureDir mkdtemp chown lchown lutimes"
    )
    deletes = "unlink rm rmdir remove emptyDir"
    moves = "rename copyFile cp copy move symlink link"
    for names, effect in (
        (reads, ("read", 0)),
        (writes, ("write", 0)),
        (deletes, ("delete", 0)),
        (moves, ("move", 1)),
    ):
        for name in names.split():
            table["@fs." + name] = effect
            table["@fs." + name + "Sync"] = effect
    for name in ("access", "accessSync", "exists", "existsSync", "mkdir", "mkdirSync", "ensureDir", "ensureDirSync"):
        table["@fs." + name] = ("probe", 0)
    return table


@cache
def effects() -> dict[str, Effect]:
    """Return the table: path of a thing to what calling it does."""
    return _table()


@cache
def names() -> frozenset[str]:
    """Return the names of the modules and members that the table has."""
    paths = [path[1:].split(".") for path in effects() if path.startswith("@")]
    return frozenset(name for path in paths for name in (path[0], path[-1]))


def module_path(specifier: str) -> str:
    """Return the path of a module: ``@`` and its canonical name."""
    name = specifier.removeprefix("node:")
    return "@" + ALIASES.get(name, name)
