"""Where secrets lie on a developer's machine, and how a text is stripped of them before anybody reads it.

Only kinds and places leave this module. What is not known here is not found: this is no scanner of all files, it looks
where the thieves of 2025 and 2026 looked first (their own lists, in the reports on Shai-Hulud and its successors).
"""

import re
from typing import Final

from msgspec import Struct

MASK: Final = "***"


class Lair(Struct, frozen=True):
    """A file in which secrets lie, the kind of them, and what a line with one looks like."""

    path: str
    kind: str
    pattern: str


_REFERENCE = r"""(?!["']?\$)"""
"""What follows is no reference to a variable (``${NPM_TOKEN}``)."""

_NPMRC = rf"(?:^|:)[ \t]*_(?:authToken|auth|password)\s*=\s*{_REFERENCE}\S"
_URL = r"\b\w{1,20}://[^\s/:@]{0,200}:[^\s/@${]{1,2000}@"
_YARN = rf"npmAuth(?:Token|Ident)[\"']?\s*:\s*{_REFERENCE}\S"
_BUN = rf"\b(?:token|password)\s*=\s*[\"']{_REFERENCE}[^\"']"
_ENV_FILE = r"^[ \t]*(?:export\s+)?\w*(?:TOKEN|SECRET|PASSWORD|API_?KEY)\w*\s*=\s*[\"']?[^\s\"'$]"
_OPENSSH = r"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU|-----BEGIN (?:RSA |EC |DSA )?PRIVATE KEY-----(?!\s*Proc-Type: 4,ENCRYPTED)"
"""The first bytes of an OpenSSH key whose cipher is *none*, and the older form without a passphrase."""

LAIRS: Final = (
    Lair(".npmrc", "npm token", _NPMRC),
    Lair("~/.npmrc", "npm token", _NPMRC),
    Lair(".yarnrc.yml", "npm token", _YARN),
    Lair("~/.yarnrc.yml", "npm token", _YARN),
    Lair("bunfig.toml", "npm token", _BUN),
    Lair("~/.bunfig.toml", "npm token", _BUN),
    Lair("~/.pypirc", "PyPI token", r"^[ \t]*password\s*[=:]\s*\S"),
    Lair("~/.config/pypoetry/auth.toml", "PyPI token", r"^[ \t]*(?:password|[\w.\"'-]+)\s*=\s*[\"'][^\"']"),
    Lair("pip.conf", "index password", _URL),
    Lair("~/.config/pip/pip.conf", "index password", _URL),
    Lair("~/.pip/pip.conf", "index password", _URL),
    Lair("requirements.txt", "index password", _URL),
    Lair("pyproject.toml", "index password", _URL),
    Lair("uv.toml", "index password", _URL),
    Lair("~/.config/uv/uv.toml", "index password", _URL),
    Lair(".env", "secret of an application", _ENV_FILE),
    Lair(".env.local", "secret of an application", _ENV_FILE),
    Lair("~/.netrc", "password of a host", r"\bpassword\s+\S"),
    Lair("~/_netrc", "password of a host", r"\bpassword\s+\S"),
    Lair("~/.git-credentials", "git credential", _URL),
    Lair("~/.config/git/credentials", "git credential", _URL),
    Lair("~/.config/gh/hosts.yml", "GitHub token", r"oauth_token\s*:\s*\S"),
    Lair("~/.docker/config.json", "registry password (Docker)", r'"(?:auth|identitytoken|password)"\s*:\s*"[^"]'),
    Lair("~/.aws/credentials", "cloud key (AWS)", r"^[ \t]*aws_(?:secret_access_key|session_token)\s*=\s*\S"),
    Lair(
        "~/.config/gcloud/application_default_credentials.json",
        "cloud key (Google)",
        r'"(?:refresh_token|private_key)"\s*:\s*"[^"]',
    ),
    Lair("~/.azure/msal_token_cache.json", "cloud key (Azure)", r'"secret"\s*:\s*"[^"]'),
    Lair("~/.azure/accessTokens.json", "cloud key (Azure)", r'"(?:accessToken|refreshToken)"\s*:\s*"[^"]'),
    Lair("~/.kube/config", "cluster key (Kubernetes)", r"^[ \t]*(?:token|client-key-data|password)\s*:\s*\S"),
    Lair("~/.vault-token", "Vault token", r"\S"),
    Lair("~/.cargo/credentials.toml", "crates.io token", r"^[ \t]*token\s*=\s*[\"']\S"),
    Lair("~/.gem/credentials", "RubyGems key", r"^[ \t]*:?[\w.-]+\s*:\s*\S"),
    Lair("~/.ssh/id_rsa", "SSH key without a passphrase", _OPENSSH),
    Lair("~/.ssh/id_ecdsa", "SSH key without a passphrase", _OPENSSH),
    Lair("~/.ssh/id_ed25519", "SSH key without a passphrase", _OPENSSH),
)

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|CREDENTIALS?|AUTH_?TOKEN)$"
)
# Every repetition is bounded, and begins where a word does: a hostile file must not cost more than its length.
_KEY = (
    r"(?<![\w./:@-])[\w./:@-]{0,200}(?:_auth|auth(?:token|ident)?|password|passwd|token|secret|credentials?"
    r"|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]{0,40}"
)
_USER_INFO = re.compile(r"(?<=://)[^\s/@\"']+@")
_QUOTED = re.compile(rf"""(?i)(["']?{_KEY}["']?[ \t]*[=:]\s*)(?:"(?!\$)[^"\n]*"|'(?!\$)[^'\n]*')""")
_BARE = re.compile(rf"""(?im)^([ \t]*["']?{_KEY}["']?[ \t]*[=:][ \t]*)(?![\s"'$\[{{])[^\n]*""")
_SHAPES = re.compile(
    r"\b(?:npm_\w{16,}|pypi-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{12,}|sk-[\w-]{16,}|eyJ[\w-]{10,400}\.[\w-]{10,}\.[\w-]*)"
)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as names tell."""
    return _SECRET_NAME.search(name.upper()) is not None


def without_secrets(text: str, *, bare: bool = True) -> str:
    """Return a text with every secret replaced by ``***``; lines stay where they are.

    Addresses lose user and password, keys that name a secret their value, and what looks like a token is gone wherever
    it stands. ``bare`` is off for JSON, where a value without quotes is no secret and its loss would break the file.
    """
    text = _USER_INFO.sub(f"{MASK}@", text)
    text = _QUOTED.sub(rf'\1"{MASK}"', text)
    if bare:
        text = _BARE.sub(rf"\1{MASK}", text)
    return _SHAPES.sub(MASK, text)
