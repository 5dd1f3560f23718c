"""Which paths, variables, commands and texts matter: credentials, wallets, persistence, second runtimes."""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import Kind

_SECRET_PATHS = r"""
    (?:^|[\\/~*."'\s=])\.(?:npmrc|pypirc|netrc|git-credentials|pgpass|my\.cnf|vault-token|yarnrc\.yml)(?![\w-])
  | (?:^|[\\/~*."'\s])_netrc(?!\w)
  | (?:^|[\\/~*."'\s])\.aws[\\/](?:credentials|config|sso)
  | (?:^|[\\/~*."'\s])\.ssh(?:[\\/]|$|["'\s])
  | (?:^|[\\/~*."'\s])(?:id_rsa|id_ed25519|id_ecdsa|id_dsa)(?![\w.-]|\.pub)
  | \.docker[\\/]config\.json | \.kube[\\/]config | \.config[\\/]gcloud | application_default_credentials
  | \.azure[\\/](?:accessTokens|msal_token|azureProfile) | \.config[\\/]gh[\\/]hosts\.yml | \.config[\\/]solana[\\/]id\.json
  | \.gnupg(?:[\\/]|$) | \.terraform\.d[\\/]credentials | \.cargo[\\/]credentials | \.gem[\\/]credentials
  | \.claude[\\/]\.credentials | \.codex[\\/]auth\.json
  | Login\ Data(?!\w) | (?:Google[\\/]Chrome|BraveSoftware|Chromium|Microsoft[\\/]Edge|google-chrome)[\\/].*(?:User\ Data|Default|Profile)
  | (?:logins\.json|key4\.db|cookies\.sqlite)$ | Local\ Extension\ Settings | Local\ State$
  | login\.keychain | Library[\\/]Keychains | /etc/shadow(?!\w) | /proc/(?:self|\d+|\*)/(?:environ|mem|maps)
  | /var/run/secrets/kubernetes\.io | 169\.254\.169\.254 | 169\.254\.170\.2 | metadata\.google\.internal
"""
_SECRET_ENV = re.compile(
    r"""(?:^|_)(?:TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_KEY|API_?KEY|ACCESS_KEY|AUTH_?KEY)
    (?:_|\d|$)|^AWS_\w*KEY|^(?:NPM|GITHUB|GH|GITLAB|PYPI|TWINE|VAULT|DOCKER|SLACK|STRIPE)_\w*(?:AUTH|PASS|PAT)$
    |_(?:MNEMONIC|SEED_PHRASE)$|^MNEMONIC$|^ACTIONS_ID_TOKEN|^ACTIONS_RUNTIME_TOKEN""",
    re.VERBOSE | re.IGNORECASE,
)
_WALLET = r"""
    (?:Exodus[\\/]exodus\.wallet|Electrum[\\/]wallets|\.electrum|Ethereum[\\/]keystore|\.ethereum[\\/]keystore|atomic[\\/]Local\ Storage
    |Bitcoin[\\/]wallets?|wallet\.dat|nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|\.config[\\/]solana[\\/]id\.json)
  | \beth_(?:sendTransaction|signTypedData(?:_v[34])?|requestAccounts|sendRawTransaction)\b | \bpersonal_sign\b
  | \b(?:mnemonic|seed\ ?phrase|recovery\ phrase)\b | \b0x\[a-f(?:A-F)?0-9(?:a-fA-F)?\]\{40\}|\[13\]\[a-km-zA-HJ-NP-Z
"""
_PERSIST = r"""
    \bcrontab\b(?!\s+-l) | /etc/cron\.?\w*/? | /var/spool/cron | (?:^|[\\/~\s"'])\.config[\\/](?:systemd[\\/]user|autostart)
  | /etc/systemd/system | \bsystemctl\s+(?:--user\s+)?enable\b | Library[\\/]Launch(?:Agents|Daemons) | \blaunchctl\s+(?:load|bootstrap)
  | CurrentVersion\\+Run(?:Once)?\b | \bschtasks\b.{0,40}/create | Start\ Menu\\+Programs\\+Startup | /etc/rc\.local | /etc/ld\.so\.preload
  | (?:^|[\\/~\s"'*])\.(?:bashrc|bash_profile|zshrc|zprofile|zshenv|profile)(?![\w.-])
"""
_RUNTIME = re.compile(
    r"""\b(bun)\.sh/install|oven-sh/(bun)/releases|\b(deno)\.land/(?:x/)?install|denoland/(deno)/releases|nodejs\.org/dist/|\bpython\.org/ftp/python
    |python-build-standalone|\bnpm\s+(?:i|install)\s+(?:-\w+\s+|--global\s+)*(bun|deno)\b|\b(?:npx|bunx)\s+(?:-y\s+)?(bun|deno)\b""",
    re.VERBOSE | re.IGNORECASE,
)


@cache
def _pattern(name: str) -> "re.Pattern[str]":
    sources = {"secret": _SECRET_PATHS, "wallet": _WALLET, "persist": _PERSIST}
    return re.compile(sources[name], re.VERBOSE | re.IGNORECASE)


def is_secret_path(text: str) -> bool:
    """Whether a path (or an address) holds credentials."""
    return len(text) <= 4096 and _pattern("secret").search(text) is not None


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable holds a credential, by its name."""
    return len(name) <= 128 and _SECRET_ENV.search(name) is not None


def is_persistent_path(text: str) -> bool:
    """Whether writing to this path (or running this command) starts code again later."""
    return len(text) <= 65536 and _pattern("persist").search(text) is not None


def is_wallet(text: str) -> bool:
    """Whether a text names a wallet store, a wallet call, or a pattern of addresses or seeds."""
    return len(text) <= 65536 and _pattern("wallet").search(text) is not None


def runtime(text: str) -> str | None:
    """Return which second interpreter a command or URL installs, or None."""
    match = _RUNTIME.search(text[:65536])
    if match is None:
        return None
    named = next((group for group in match.groups() if group), None)
    return named.lower() if named else "python" if "python" in match.group().lower() else "node"


def in_command(command: str) -> Iterator[tuple[Kind, str]]:
    """Yield what a shell command does beyond starting a process: secrets, persistence, second runtimes, wallets."""
    text = command[:65536]
    match = _pattern("secret").search(text)
    if match:
        yield Kind.SECRET_READ, match.group().strip(" \"'=")
    match = _pattern("persist").search(text)
    if match:
        yield Kind.PERSIST, match.group().strip(" \"'")
    installed = runtime(text)
    if installed:
        yield Kind.RUNTIME_FETCH, installed
    for tool in re.finditer(r"https?://[^\s'\"<>|;)`\\]+", text):
        yield Kind.NET_CONNECT, tool.group()
