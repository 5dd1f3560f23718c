"""Commands that speak to other machines: what they fetch, what they send, where it is put."""

import re
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import secret_path
from lazaretto.languages.shell.expand import tidy
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.values import NOTHING, Call, Options, Value, merge, options

_CURL_SHORT = "AbcCdDeEFHKmoPQrtTuUwxXyYz"
_CURL_LONG = frozenset(
    "url output data data-ascii data-binary data-raw data-urlencode json form form-string upload-file header user "
    "request user-agent referer cookie cookie-jar proxy max-time connect-timeout retry retry-delay retry-max-time "
    "cacert cert key resolve connect-to write-out config range oauth2-bearer output-dir interface unix-socket "
    "limit-rate proto proto-redir tls-max ciphers dns-servers doh-url aws-sigv4 noproxy max-redirs speed-limit".split()
)
_WGET_LONG = frozenset(
    "output-document directory-prefix header post-data post-file body-data body-file method user password timeout "
    "tries user-agent referer input-file output-file execute".split()
)
_SENT = ("-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode", "--json", "-F", "--form")
_UPLOADED = ("-T", "--upload-file", "--post-file", "--body-file")

_RUNTIMES = (
    (r"\bbun\.(?:sh|com)/install|oven-sh/bun|\bbun-(?:linux|darwin|windows)", "bun"),
    (r"\bdeno\.(?:land|com)/(?:x/)?install|denoland/deno|\bdeno-(?:x86_64|aarch64)", "deno"),
    (r"\bnodejs\.org/(?:dist|download)|nodesource\.com|\bnode-v\d+[.\d]*-(?:linux|darwin|win)|nvm-sh/nvm", "node"),
    (r"python-build-standalone|\bpython\.org/ftp|\bpython-\d+[.\d]*-(?:embed|amd64)|\bminiconda|\bminiforge", "python"),
    (r"astral\.sh/uv|\buv-(?:x86_64|aarch64)-", "uv"),
)


def curl(machine: Machine, call: Call) -> Value:
    """curl: URLs, what is sent, where the answer goes."""
    given = options(call.args, _CURL_SHORT, _CURL_LONG)
    sent = [*_bodies(machine, call, given), *given.all("-H", "--header", "-u", "--user", "-b", "--cookie")]
    sent += [_content(machine, call, value) for value in given.all(*_UPLOADED)]
    urls = [*given.operands, *given.all("--url")]
    taint = _connect(machine, call, urls, sent)
    for name in given.all("-o", "--output"):
        machine.written(name, call.output(*taint), call)
    if given.has("-O", "--remote-name", "--remote-name-all"):
        for url in urls:
            machine.written(Value(_base_name(url.text), url.known), call.output(*taint), call)
    return NOTHING if given.has("-o", "--output", "-O", "--remote-name") else call.output(*taint)


def wget(machine: Machine, call: Call) -> Value:
    """wget: the answer goes into a file unless ``-O -``."""
    given = options(call.args, "OPaoeiUtTQ", _WGET_LONG)
    sent = [*given.all("--post-data", "--body-data", "--header")]
    sent += [_content(machine, call, value) for value in given.all(*_UPLOADED)]
    taint = _connect(machine, call, given.operands, sent)
    target = given.get("-O", "--output-document")
    if target is not None and target.text in {"-", "/dev/stdout"}:
        return call.output(*taint)
    for url in [target] if target is not None else [Value(_base_name(u.text), u.known) for u in given.operands]:
        machine.written(url, call.output(*taint), call)
    return NOTHING


def netcat(machine: Machine, call: Call) -> Value:
    """nc, telnet: host and port, or a port to listen on; ``-e`` runs a program at the other end's will."""
    given = options(call.args, "pewsiqxX", frozenset({"exec", "sh-exec", "source-port", "wait"}))
    program = given.get("-e", "-c", "--exec", "--sh-exec")
    if given.has("-l", "--listen"):
        port = given.get("-p", "--source-port")
        index = machine.fact(
            Kind.NET_LISTEN, (port.text if port else "") or " ".join(v.text for v in given.operands), call
        )
        taint: tuple[int, ...] = (index,)
    else:
        host = ":".join(value.text for value in given.operands[:2])
        taint = _connect(machine, call, [Value(host, all(v.known for v in given.operands[:2]))], [])
    if program is not None and program.text:
        machine.flow(taint, machine.fact(Kind.PROCESS_SPAWN, program.text, call))
    return call.output(*taint)


def remote(machine: Machine, call: Call) -> Value:
    """ssh, scp, rsync, sftp, ftp: the host among the operands."""
    given = options(call.args, "bcDEeFIiJLlmOopQRSWwP", frozenset({"rsh", "exclude", "include", "port", "files-from"}))
    operands = given.operands
    hosts = [value for value in operands if "@" in value.text or _is_remote(value.text)]
    if call.name in {"ssh", "ftp", "sftp", "tftp", "telnet"} and not hosts:
        hosts = list(operands[:1])
    contents = [
        _content(machine, call, Value("@" + value.text, value.known, value.taint))
        for value in operands
        if value not in hosts
    ]
    contents += [value for name, value in given.given if name == "-i" and secret_path(value.text)]
    return call.output(*_connect(machine, call, hosts, contents)) if hosts else call.output()


def git(machine: Machine, call: Call) -> Value:
    """Git: addresses that it fetches from or pushes to; hooks that it installs."""
    for value in call.args:
        if "://" in value.text or value.text.startswith("git@"):
            _connect(machine, call, [value], [])
        if value.text.startswith("core.hooksPath") or (value.text == "core.hooksPath"):
            machine.fact(Kind.PERSIST, call.text, call)
    return call.output()


def dns(machine: Machine, call: Call) -> Value:
    """nslookup, dig, host: the name that is asked for."""
    names = [
        v
        for v in call.args
        if not v.text.startswith(("-", "+", "@"))
        and v.text.upper() not in {"A", "AAAA", "TXT", "MX", "ANY", "NS", "CNAME"}
    ]
    taint = call.taint
    found = [machine.fact(Kind.DNS_QUERY, name.text, call, name.via) for name in names]
    for index in found:
        machine.flow(taint, index)
    return call.output(*found)


def certutil(machine: Machine, call: Call) -> Value:
    """Certutil: ``-urlcache -f URL FILE`` fetches, ``-decode IN OUT`` decodes base64."""
    lowered = [value.text.lower().lstrip("-/") for value in call.args]
    operands = [value for value in call.args if not value.text.startswith(("-", "/"))]
    if "decode" in lowered and len(operands) >= 2:
        content = machine.input_file(operands[0], call)
        index = machine.fact(Kind.DECODE, None, call, "base64")
        machine.written(operands[1], Value("", False, merge(content.taint, (index,)), "base64"), call)
        return NOTHING
    return _fetch_to_file(machine, call, operands)


def bits(machine: Machine, call: Call) -> Value:
    """Bitsadmin and Start-BitsTransfer: address and file."""
    operands = [value for value in call.args if not (value.text.startswith(("-", "/")) and len(value.text) > 1)]
    urls = [value for value in operands if "://" in value.text]
    return _fetch_to_file(machine, call, operands[operands.index(urls[0]) :] if urls else [])


def web_request(machine: Machine, call: Call) -> Value:
    """Invoke-WebRequest, Invoke-RestMethod and their short names."""
    named, operands = powershell_options(call.args)
    url = named.get("uri") or named.get("url") or (operands[0] if operands else None)
    sent = [value for name, value in named.items() if name in {"body", "headers", "infile"}]
    sent = [
        _content(machine, call, Value("@" + v.text, v.known, v.taint)) if n == "infile" else v
        for n, v in named.items()
        if v in sent
    ]
    taint = _connect(machine, call, [url] if url else [], sent)
    target = named.get("outfile")
    if target is None:
        return call.output(*taint)
    machine.written(target, call.output(*taint), call)
    return NOTHING


def powershell_options(args: tuple[Value, ...]) -> tuple[dict[str, Value], list[Value]]:
    """Tell ``-Name value`` pairs (names in lower case, unique prefixes completed) from operands."""
    named: dict[str, Value] = {}
    operands: list[Value] = []
    index = 0
    while index < len(args):
        text = args[index].text
        if text.startswith("-") and len(text) > 1 and text[1].isalpha():
            name, colon, inline = text[1:].lower().partition(":")
            name = _PARAMETERS.get(name, name)
            takes = index + 1 < len(args) and not args[index + 1].text.startswith("-") and name not in _SWITCHES
            if colon:
                named[name] = Value(inline, args[index].known, args[index].taint)
            elif takes:
                index += 1
                named[name] = args[index]
            else:
                named[name] = NOTHING
        else:
            operands.append(args[index])
        index += 1
    return named, operands


def runtime_of(text: str) -> str | None:
    """Return the interpreter that an address or a file name brings, or None."""
    return next((name for pattern, name in _RUNTIMES if _compiled(pattern).search(text)), None)


def connect(machine: Machine, call: Call, url: Value, sent: list[Value]) -> tuple[int, ...]:
    """Write a connection, the runtime that it may fetch, and the flows of what is sent."""
    index = machine.fact(Kind.NET_CONNECT, url.text or None, call, url.via)
    sources = merge(url.taint, *(value.taint for value in sent), call.stdin.taint if call.stdin else ())
    machine.flow(sources, index)
    runtime = runtime_of(url.text)
    if runtime:
        machine.fact(Kind.RUNTIME_FETCH, runtime, call)
    return (index,)


def _connect(machine: Machine, call: Call, urls: list[Value] | tuple[Value, ...], sent: list[Value]) -> tuple[int, ...]:
    taint: tuple[int, ...] = ()
    for url in urls:
        taint += connect(machine, call, url, sent)
    return taint


def _bodies(machine: Machine, call: Call, given: Options) -> list[Value]:
    """Return what is posted: texts, and the contents of files named with ``@`` or ``<``."""
    found = []
    for value in given.all(*_SENT):
        _, equals, content = value.text.partition("=")
        named = content if equals and content.startswith(("@", "<")) else value.text
        source = Value(named, value.known, value.taint)
        found.append(_content(machine, call, source) if named.startswith(("@", "<")) else value)
    return found


def _content(machine: Machine, call: Call, value: Value) -> Value:
    """Return the content of a file that is sent (``@name``; ``-`` is the input)."""
    path = Value(value.text.lstrip("@<").split(";", 1)[0], value.known, value.taint)
    if path.text in {"-", "."}:
        return call.stdin or NOTHING
    content = machine.input_file(path, call)
    return Value(content.text, content.known, merge(content.taint, value.taint), content.via)


def _fetch_to_file(machine: Machine, call: Call, operands: list[Value]) -> Value:
    """Write what is fetched from each address, and the files behind it that it is put into."""
    taint: tuple[int, ...] = ()
    fetched: tuple[int, ...] = ()
    for value in operands:
        if "://" in value.text or not (value.known or fetched):
            taint = _connect(machine, call, [value], [])
            fetched += taint
        elif taint:
            machine.written(value, call.output(*taint), call)
    return call.output(*fetched)


def _is_remote(text: str) -> bool:
    return "://" in text or _compiled(r"[\w.-]{2,}:[^\\]").match(text) is not None


def _base_name(url: str) -> str:
    return tidy(url.split("?", 1)[0]).rpartition("/")[2] or "index.html"


_PARAMETERS = {
    "u": "uri", "ur": "uri", "o": "outfile", "out": "outfile", "outf": "outfile", "destination": "outfile",
    "source": "uri", "in": "infile", "b": "body", "h": "headers",
}  # fmt: skip
_SWITCHES = frozenset({"usebasicparsing", "useb", "passthru", "recurse", "force", "skipcertificatecheck", "usebp"})

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("curl", "fetch", "http", "https", "xh"), curl),
    **dict.fromkeys(("wget", "wget2", "aria2c", "axel"), wget),
    **dict.fromkeys(("nc", "ncat", "netcat", "telnet", "nc.traditional", "nc.openbsd"), netcat),
    **dict.fromkeys(("ssh", "scp", "rsync", "sftp", "ftp", "tftp", "rclone", "socat"), remote),
    **dict.fromkeys(("nslookup", "dig", "host", "drill", "resolve-dnsname"), dns),
    **dict.fromkeys(("iwr", "irm", "invoke-webrequest", "invoke-restmethod"), web_request),
    **dict.fromkeys(("bitsadmin", "start-bitstransfer"), bits),
    "certutil": certutil,
    "git": git,
}
"""Command -> what it does. PowerShell's own names are in lower case."""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)
