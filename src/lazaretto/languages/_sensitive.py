"""Names that only a credential, a wallet or a start-up place has: shared by every language. Pure and precise.

Each function answers for one piece of text (a path, a variable name, a word of a command, a folded string).
A name that ordinary programs use every day (``HOME``, ``config.json``) is deliberately not here.
"""

import re
from functools import cache

MACHINE = "machine:"
"""How the value of a fact begins that tells whose machine this is: its name, its user, its addresses."""

_SECRET_PATH = r"""
    (?:^|[\s"'=:@/\\~}(,]) (?:
        \.npmrc | \.yarnrc(?:\.yml)? | \.pypirc | [._]netrc | \.git-credentials | \.vault-token
        | \.env(?:\.(?:local|production|prod))?
        | \.(?:bash|zsh|python|node_repl)_history | \.pgpass | \.my\.cnf | \.htpasswd
        | id_(?:rsa|dsa|ecdsa|ed25519) | application_default_credentials\.json | key4\.db | logins\.json
    ) (?:$|[\s"';,)|&])
    | \.ssh (?:[/\\](?!known_hosts|authorized_keys) | $ | [\s"';)])
    | (?:Default|Profile\ \d{1,3})[/\\](?:Network[/\\])?(?:Login\ Data|Cookies|Web\ Data) (?:$|[\s"';,)])
    | \.aws[/\\](?:credentials|config|sso|[*{]) | \.kube[/\\]config | \.docker[/\\]config\.json | \.gnupg (?:[/\\]|$)
    | \.config[/\\](?:gcloud|gh[/\\]hosts\.yml|op[/\\]config) | \.azure[/\\](?:accessTokens|msal_token|azureProfile)
    | \.terraform\.d[/\\]credentials | \.(?:cargo|gem|composer)[/\\](?:credentials|auth\.json)
    | \.claude[/\\]\.credentials | \.codex[/\\]auth\.json | \.gemini[/\\]oauth_creds
    | /etc/(?:shadow|gshadow|sudoers) | /proc/[^/\s]+/(?:environ|mem|maps) | /run/secrets/
    | secrets/kubernetes\.io/serviceaccount
    | (?:Chrome|Chromium|Brave-Browser|Edge|Opera|User\ Data)\b.{0,80}(?:Login\ Data|Cookies|Local\ State|Web\ Data)
    | (?:[/\\]discord(?:canary|ptb|development)?|Lightcord|Slack|Signal|Element|Microsoft\ Teams|Chrome|Chromium
        |Brave-Browser|Edge|Opera(?:\ (?:GX\ )?Stable)?|User\ Data)\b.{0,80}
        (?:Local\ State|Local\ Storage[/\\]+leveldb|Session\ Storage|Local\ Extension\ Settings)
    | Telegram\ Desktop[/\\]+tdata
    | (?:Firefox|Mozilla).{0,80}(?:cookies\.sqlite|signons) | Library/Keychains | login\.keychain
    | (?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|100\.100\.100\.200|fd00:ec2::254)
"""

_SECRET_ENV = r"""
    (?:^|_)(?:
        TOKEN | SECRET | PASSWORD | PASSWD | PASSPHRASE | API_?KEY | ACCESS_?KEY(?:_ID)? | SECRET_?KEY | PRIVATE_?KEY
        | SECRET_ACCESS_KEY | (?<!ALLOW_)CREDENTIALS? | _?AUTH_?TOKEN | PAT | MNEMONIC | SEED_PHRASE
    )(?:_BASE64|_JSON)?$
    | ^(?:PGPASSWORD|MYSQL_PWD)$
    | ^(?:DATABASE_URL|MONGO(?:DB)?_URI|REDIS_URL|TWINE_\w+|SSH_AUTH_SOCK|KUBECONFIG|GOOGLE_APPLICATION_CREDENTIALS)$
"""

_WALLET = r"""
    \bwindow\.(?:ethereum|solana|phantom|tronWeb|okxwallet|BinanceChain|unisat)\b
    | \beth_(?:sendTransaction|sendRawTransaction|signTransaction|requestAccounts|accounts)\b
    | \bpersonal_(?:sign|unlockAccount)\b
    | \bsign(?:And|All)?(?:Send)?Transactions?\b.{0,40}\b(?:solana|phantom|wallet)\b
    | \bwallet\.dat\b | \bexodus\.wallet\b | \.config[/\\]solana[/\\]id\.json
    | \.(?:ethereum|bitcoin|electrum|monero|atomic|zcash)[/\\]
    | [/\\](?:Electrum|Exodus|Atomic|Ledger\ Live|Coinomi|Guarda|Armory|bytecoin)[/\\]
    | \b(?:nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|hnfanknocfeofbddgcijnmhnfnkdnaad
        |fhbohimaelbohpjbbldcngcnapndodjp|ejbalbakoplchlghecdalmeeeajnimhm|ibnejdfjmmkpcnlpebklmnkoeoihofec
        |egjidjbpglichdcondbcbdnbeeppgdph|aholpfdialjgjfhomihkjbmgjidlcdno)\b
    | \b(?:seed|recovery|mnemonic)[ _-]phrase\b
"""

_KEY_NAME = r"""
    ^_* (?:user|wallet|account|raw|encoded|input|the|my)?_? (?:
        (?:private|priv|secret)_?key(?:_?(?:bytes|hex|wif|buffer|array|string|str|base58))?
        | mnemonics?(?:_?(?:phrase|words|string|str))?
        | (?:seed|recovery|secret|backup)_?(?:phrase|words|recovery_?phrase)
        | key_?pair
    ) _* $
"""

_PERSIST = r"""
    (?:^|[\s"'/\\~])
        \.(?:bashrc|bash_profile|bash_login|bash_logout|zshrc|zshenv|zprofile|zlogin|profile|xprofile|xinitrc)
        (?:$|[\s"';)])
    | /etc/(?:cron(?:tab|\.d|\.daily|\.hourly)|profile(?:\.d)?|rc\.local|init\.d/|ld\.so\.preload|bash\.bashrc|zshrc)
    | /var/spool/cron | /etc/systemd/system | systemd/user/ | \.config/autostart | /etc/xdg/autostart
    | Library/Launch(?:Agents|Daemons) | /etc/launchd
    | CurrentVersion\\+Run(?:Once)?\b | Start\ Menu[/\\]+Programs[/\\]+Startup | CurrentVersion\\+Winlogon
    | \.ssh[/\\]authorized_keys | \.git[/\\]hooks[/\\] | config[/\\]git[/\\]hooks
    | (?:site-packages|dist-packages)[/\\][^/\\]*\.pth\b | (?:site|user)customize\.py\b
    | Microsoft\.PowerShell_profile\.ps1
    | \.ipython[/\\]profile_\w+[/\\]startup[/\\] | \.jupyter[/\\]jupyter_\w+_config\.py
"""

_LOADING_VARIABLE = r"""
    ^(?: NODE_OPTIONS | PYTHONSTARTUP | PYTHONPATH | PYTHONHOME | BASH_ENV | ENV | PROMPT_COMMAND | LD_PRELOAD
    | LD_AUDIT | DYLD_INSERT_LIBRARIES | PERL5OPT | RUBYOPT | JAVA_TOOL_OPTIONS | GIT_SSH_COMMAND | ELECTRON_RUN_AS_NODE
    )$
"""


_AGENT = r"""
    (?:^|[/\\~}])
    (?: \.claude[/\\](?:settings(?:\.local)?\.json|(?:commands|agents|hooks|skills|plugins)[/\\]) | \.claude\.json
    | \.cursor[/\\](?:mcp\.json|hooks\.json|rules[/\\]) | \.cursorrules | \.windsurfrules | \.windsurf[/\\]
    | \.codex[/\\]config\.toml | \.gemini[/\\]settings\.json | \.codeium[/\\]windsurf[/\\]mcp_config\.json
    | claude_desktop_config\.json | \.vscode[/\\](?:tasks|mcp)\.json | \.mcp\.json
    | (?:CLAUDE|AGENTS|GEMINI|copilot-instructions)\.md )
    | ^(?:~|/root|/home/[^/]+|/Users/[^/]+)[/\\] (?:
        \.npmrc | \.yarnrc(?:\.yml)? | \.bunfig\.toml | \.gitconfig | \.ssh[/\\]config
        | \.pip[/\\]pip\.conf | \.config[/\\](?:pip[/\\]pip\.conf | uv[/\\]uv\.toml | git[/\\]config) )$
    | (?:^|[/\\])pip[/\\]pip\.ini$ | ^/etc/(?:pip\.conf|npmrc|gitconfig)$
"""


def secret_path(text: str) -> bool:
    """Whether a text names a file, a store or an address that holds credentials."""
    return _pattern(_SECRET_PATH, re.IGNORECASE).search(text) is not None


def secret_env(name: str) -> bool:
    """Whether an environment variable of this name usually holds a credential (``NPM_TOKEN``)."""
    return _pattern(_SECRET_ENV, re.IGNORECASE).search(name) is not None


def wallet_text(text: str) -> bool:
    """Whether a text names the object, file, extension or method of a cryptocurrency wallet."""
    return _pattern(_WALLET, re.IGNORECASE).search(text) is not None


@cache
def is_key_name(name: str) -> bool:
    """Whether a parameter is named as the key of a wallet or the words that it is made from."""
    return len(name) <= 40 and _pattern(_KEY_NAME, re.IGNORECASE).search(name) is not None


def loading_variable(name: str) -> bool:
    """Whether a program that starts loads what a variable of this name says, so that to set it for good persists."""
    return _pattern(_LOADING_VARIABLE, re.IGNORECASE).search(name) is not None


def persist_path(text: str) -> bool:
    """Whether what is written at this path (or registry key) is started again by itself."""
    return _pattern(_PERSIST, re.IGNORECASE).search(text) is not None


def agent_path(text: str) -> bool:
    """Whether an editor, a coding agent, git or a registry's client obeys what is written at this path."""
    return _pattern(_AGENT, re.IGNORECASE).search(text) is not None


@cache
def _pattern(source: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(source, flags | re.VERBOSE)
