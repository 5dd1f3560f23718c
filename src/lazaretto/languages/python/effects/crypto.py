"""Decryption: what comes out of it nobody has read; and stores of keys."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.python.folding import step
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import Value, all_taint, render, unknown

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

LIBRARIES = frozenset(
    "cryptography Crypto Cryptodome fernet nacl rsa pyaes tgcrypto pyAesCrypt cryptocode aes Blowfish simplecrypt "
    "jwcrypto".split()
)
_VERBS = frozenset(("decrypt", "decrypt_and_verify", "decryptor", "decryptFile", "decrypt_at_time"))
WALLETS = frozenset(
    ("mnemonic", "bip_utils", "bip32utils", "hdwallet", "eth_account", "solders", "solana", "bitcoinlib", "web3")
)
_WALLET_VERBS = frozenset(
    "from_mnemonic from_seed from_secret_key from_private_key from_key to_seed from_bytes from_base58_string "
    "Mnemonic generate".split()
)


def by_shape(sym: str) -> "Handler | None":
    """Return the handler for a verb of a library of ciphers or wallets."""
    root, _, rest = sym.partition(".")
    last = rest.rpartition(".")[2]
    if root in LIBRARIES and last in _VERBS:
        return decrypted
    if root in WALLETS and last in _WALLET_VERBS:
        return wallet
    return None


def may_lead(sym: str) -> bool:
    """Whether a name belongs to a library of ciphers or wallets."""
    root = sym.partition(".")[0]
    return root in LIBRARIES or root in WALLETS


def decrypted(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Something is decrypted; the cipher is named as far as it is known."""
    parts = [part.partition("(")[0] for part in call.sym.split(".")]
    cipher = next((part for part in reversed(parts[:-1]) if part[:1].isupper()), parts[0])
    handle = vm.emit(Kind.DECRYPT, cipher, call.place, call.frame)
    made = unknown(all_taint(call.data()) | {handle})
    made.via = step(call.args[0].via if call.args else (), "decrypt")
    if call.sym.endswith("decryptor"):
        made.mark = frozenset()
    return made


def wallet(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Keys of a wallet are made from a secret."""
    handle = vm.emit(Kind.WALLET_TOUCH, call.sym.replace("()", ""), call.place, call.frame)
    return unknown(all_taint(call.data()) | {handle})


def keyring(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """The operating system's store of passwords."""
    service = render(call.args[0]) if call.args else None
    handle = vm.emit(Kind.SECRET_READ, f"keyring:{service}" if service else "keyring", call.place, call.frame)
    return unknown(frozenset((handle,)))


def cloud_keys(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """The keys with which a cloud's own library would sign, wherever it finds them."""
    handle = vm.emit(Kind.SECRET_READ, f"{call.sym.partition('.')[0]} credentials", call.place, call.frame)
    return unknown(frozenset((handle,)))


_CLOUD_KEYS = (
    "boto3.Session().get_credentials boto3.session.Session().get_credentials "
    "botocore.session.Session().get_credentials botocore.session.get_session().get_credentials "
    "boto3.client().get_secret_value boto3.client().batch_get_secret_value boto3.Session().client().get_secret_value "
    "boto3.session.Session().client().get_secret_value hvac.Client().secrets.kv.v2.read_secret_version "
    "google.cloud.secretmanager.SecretManagerServiceClient().access_secret_version "
    "azure.keyvault.secrets.SecretClient().get_secret kubernetes.client.CoreV1Api().list_namespaced_secret "
    "kubernetes.client.CoreV1Api().list_secret_for_all_namespaces kubernetes.client.CoreV1Api().read_namespaced_secret "
    "google.auth.default azure.identity.DefaultAzureCredential().get_token"
)
HANDLERS: "dict[str, Handler]" = {
    **dict.fromkeys(_CLOUD_KEYS.split(), cloud_keys),
    **dict.fromkeys(
        ("keyring.get_password", "keyring.get_credential", "secretstorage.get_default_collection"), keyring
    ),
    "win32crypt.CryptUnprotectData": decrypted,
    **{
        f"browser_cookie3.{name}": keyring
        for name in "load chrome chromium firefox edge opera opera_gx brave vivaldi safari librewolf".split()
    },
}
