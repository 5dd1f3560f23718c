"""What was within reach of a place: token files, names of variables, CI secrets, cloud metadata. Never a value.

A file that is known by its place is not even opened. Of one that may or may not hold a secret, lines are compared one
by one with what such a line looks like; kind, name and line number are kept, the line is not.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from lazaretto.app.respond.ports import IncidentError, Looked, Trace
from lazaretto.infra.sealed import Sealed, SealedError
from lazaretto.infra.secrets_here import LAIRS, is_secret_name, without_secrets

MAX_FILE = 4 << 20
"""Largest file in which names and lines are looked for, in bytes."""

MAX_TRACES = 500
"""Most traces of one folder, home or machine that are told."""

MAX_HOMES = 200
"""Homes of one disk that are looked at."""

_BY_PLACE = (
    (".aws/sso/cache", "cloud key (AWS)"),
    (".aws/credentials", "cloud key (AWS)"),
    (".config/gcloud/credentials.db", "cloud key (Google)"),
    (".config/gcloud/application_default_credentials.json", "cloud key (Google)"),
    (".azure/msal_token_cache.json", "cloud key (Azure)"),
    (".azure/msal_token_cache.bin", "cloud key (Azure)"),
    (".oci/config", "cloud key (Oracle)"),
    (".terraform.d/credentials.tfrc.json", "Terraform token"),
    (".config/glab-cli/config.yml", "GitLab token"),
    (".ssh/id_rsa", "SSH key"),
    (".ssh/id_ecdsa", "SSH key"),
    (".ssh/id_ed25519", "SSH key"),
    (".gnupg/private-keys-v1.d", "signing key (OpenPGP)"),
    (".vault-token", "Vault token"),
    (".claude.json", "token of an AI tool"),
    (".codex/auth.json", "token of an AI tool"),
    (".config/solana/id.json", "wallet"),
    (".electrum/wallets", "wallet"),
    (".bitcoin/wallet.dat", "wallet"),
    (".mozilla/firefox", "browser profile"),
    (".config/google-chrome", "browser profile"),
    (".config/chromium", "browser profile"),
    ("Library/Application Support/Google/Chrome", "browser profile"),
    ("Library/Keychains", "keychain"),
    ("AppData/Local/Google/Chrome/User Data", "browser profile"),
)
"""What is a credential wherever it lies in a home, by its path alone."""

_PROFILES = (".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".config/fish/config.fish")
_CI_FILES = (".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml", "Jenkinsfile")
_WORKFLOWS = ".github/workflows"
_ROOTS = (".git", ".github", *_CI_FILES)
_CLOUD = (
    ("var/lib/cloud/instance", "cloud-init wrote down that this is an instance"),
    ("run/cloud-init", "cloud-init runs here"),
    ("etc/eks", "a node of a cluster (EKS)"),
    ("var/run/secrets/kubernetes.io/serviceaccount/token", "a token of the pod's account is mounted"),
    ("sys/hypervisor/uuid", "a hypervisor is told of"),
)
_HOME = re.compile(r"(?:root|var/root|(?:home|Users|Documents and Settings)/[^/]+)(?=/|$)")
_SECRET = re.compile(r"\bsecrets\s*(?:\.\s*([A-Za-z_]\w{0,100})|\[\s*['\"]([A-Za-z_]\w{0,100})['\"]\s*\])")
_ALL_SECRETS = re.compile(r"toJSON\(\s*secrets\s*\)|\bsecrets:\s*inherit\b", re.IGNORECASE)
_OIDC = re.compile(r"\bid-token:\s*write\b")
_WRITES = re.compile(r"\bpermissions:\s*write-all\b|\b(?:contents|packages|actions):\s*write\b")
_OWN_RUNNER = re.compile(r"\bself-hosted\b")
_VARIABLE = re.compile(r"\$\{?\(?([A-Z][A-Z0-9_]{2,100})\b|\bcredentials\(\s*['\"]([\w.-]{1,100})['\"]")
_KEY = re.compile(r"^[ \t-]*([A-Z][A-Z0-9_]{2,100})\s*:")
_ASSIGNED = re.compile(r"^\s*(?:export\s+|set\s+-\w+\s+)?([A-Za-z_]\w{0,100})\s*[= ]\s*\S")


class LocalReach:
    """``app.respond.ports.Reach`` for disks that lie here: each is called as it is in the inventory."""

    def __init__(self, disks: Mapping[str, str]) -> None:
        """``disks`` maps the first word of a place (``build-7``) to where that disk lies here."""
        self._disks = {name: Sealed(path) for name, path in disks.items()}
        self._here = Sealed("/")
        self._known: dict[tuple[str, str, str], Looked] = {}

    def around(self, place: str, *, whole_machine: bool) -> tuple[Looked, ...] | str:
        """Return what is within reach of a place."""
        found = self._disk(place)
        if isinstance(found, str):
            return found
        disk, called, path = found
        looked = []
        project = self._project(disk, path)
        if project is not None:
            looked.append(self._once(disk, "project", called, project))
        mounted = bool(called)
        home = None if mounted else _HOME.match(path)
        if home is not None and not whole_machine:
            looked.append(self._once(disk, "home", called, home[0]))
        elif mounted or whole_machine:
            inner = _HOME.search(path)
            every = [inner[0]] if inner and not whole_machine else list(self._homes(disk))
            looked += [self._once(disk, "home", called, one) for one in every[:MAX_HOMES]]
        if mounted or home is not None or whole_machine:
            looked.append(self._once(disk, "machine", called, ""))
        return tuple(looked)

    def text(self, place: str, name: str) -> str | None:
        """Return a file that lies beside a place, unless it holds what looks like a secret."""
        found = self._disk(place)
        if isinstance(found, str):
            return None
        disk, _, path = found
        folder = path if disk.is_folder(path) else path.rpartition("/")[0]
        if folder.endswith("node_modules"):
            folder = folder.rpartition("/")[0]
        try:
            data = disk.read(f"{folder}/{name}", MAX_FILE)
            text = None if data is None else data.decode("utf-8")
        except SealedError as error:
            raise IncidentError(f"{name} cannot be read: {error}") from error
        except UnicodeDecodeError as error:
            raise IncidentError(f"{name} is not UTF-8") from error
        if text is not None and without_secrets(text, bare=not name.endswith(".json")) != text:
            raise IncidentError(f"{name} holds what looks like a secret: it is not shown, change it by hand")
        return text

    def _disk(self, place: str) -> tuple[Sealed, str, str] | str:
        """Return the disk of a place, what that is called, and the path on it."""
        if place.startswith("/"):
            for name, disk in self._disks.items():  # a disk may be given without a name in the inventory
                if place == disk.root or place.startswith(f"{disk.root}/"):
                    return disk, name, place[len(disk.root) :].lstrip("/")
            return self._here, "", place.lstrip("/")
        name, _, path = place.partition("/")
        if name not in self._disks:
            return f"where the disk {name} lies is not known: name it with --disk {name}=PATH"
        return self._disks[name], name, path

    def _project(self, disk: Sealed, path: str) -> str | None:
        """Return the folder of the project in which a place lies: the nearest that has a repository or its CI."""
        folder = path if disk.is_folder(path) else path.rpartition("/")[0]
        if folder.endswith("node_modules"):
            folder = folder.rpartition("/")[0]
        if "_cacache" in path or not disk.is_folder(folder):
            return None
        nearest = folder
        while folder and not _HOME.fullmatch(folder):
            if any(disk.is_folder(f"{folder}/{name}") or disk.is_file(f"{folder}/{name}") for name in _ROOTS):
                return folder
            folder = folder.rpartition("/")[0]
        return nearest or None

    @staticmethod
    def _homes(disk: Sealed) -> Iterator[str]:
        for parts in (("root",), ("var", "root"), ("home", "*"), ("Users", "*")):
            with suppress(SealedError):
                yield from (path for path in disk.find(parts) if disk.is_folder(path))

    def _once(self, disk: Sealed, kind: str, called: str, path: str) -> Looked:
        key = (disk.root, kind, path)
        if key not in self._known:
            self._known[key] = _Look(disk, kind, called, path).looked()
        return self._known[key]


class _Look:
    """One look at one folder, home or machine."""

    def __init__(self, disk: Sealed, kind: str, called: str, path: str) -> None:
        self._disk, self._kind, self._called, self._path = disk, kind, called, path
        self._unread: list[str] = []

    def looked(self) -> Looked:
        """Return what is there."""
        kinds = {"project": self._project, "home": self._home, "machine": self._machine}
        traces = sorted(set(kinds[self._kind]()))
        if len(traces) > MAX_TRACES:
            self._unread.append(f"{len(traces) - MAX_TRACES} more credentials are not listed")
        return Looked(self._kind, self._shown(""), tuple(traces[:MAX_TRACES]), tuple(self._unread))

    def _shown(self, path: str) -> str:
        whole = "/".join(part for part in (self._path, path) if part)
        return f"{self._called}/{whole}".rstrip("/") if self._called else f"/{whole}"

    def _project(self) -> Iterator[Trace]:
        if self._disk.is_file(f"{self._path}/HEAD") and self._disk.is_folder(f"{self._path}/objects"):
            self._unread.append(f"{self._shown('')}: a bare repository: what its files name is not looked at")
        for lair in LAIRS:
            if not lair.path.startswith("~") and not lair.path.startswith(".env"):
                yield from self._lines(lair.path, lair.kind, lair.pattern)
        for name in self._names(""):
            if name == ".env" or name.startswith(".env."):
                yield from self._assigned(name, "variable in a file of the project")
        for name in self._names(_WORKFLOWS):
            if name.endswith((".yml", ".yaml")):
                yield from self._workflow(f"{_WORKFLOWS}/{name}")
        for name in _CI_FILES:
            yield from self._pipeline(name)

    def _home(self) -> Iterator[Trace]:
        known = {path for path, _ in _BY_PLACE}
        for path, kind in _BY_PLACE:
            if self._disk.is_file(f"{self._path}/{path}") or self._disk.is_folder(f"{self._path}/{path}"):
                yield Trace(kind, "", self._shown(path), 0, "it lies there")
        for lair in LAIRS:
            inner = lair.path.removeprefix("~/")
            if lair.path.startswith("~/") and inner not in known:
                yield from self._lines(inner, lair.kind, lair.pattern)
        for name in _PROFILES:
            yield from self._assigned(name, "variable of a shell")

    def _machine(self) -> Iterator[Trace]:
        for path, why in _CLOUD:
            if self._disk.is_folder(path) or self._disk.is_file(path):
                kind = "cluster key (Kubernetes)" if "kubernetes" in path else "cloud role (instance metadata)"
                yield Trace(kind, "", self._shown(path), 0, why)
        yield from self._assigned("etc/environment", "variable of the machine")

    def _names(self, folder: str) -> list[str]:
        try:
            return [one.name for one in self._disk.list(f"{self._path}/{folder}") if not one.folder]
        except SealedError as error:
            self._unread.append(f"{self._shown(folder)}: {error}")
            return []

    def _read(self, path: str) -> Iterator[tuple[int, str]]:
        try:
            data = self._disk.read(f"{self._path}/{path}", MAX_FILE)
        except SealedError as error:
            self._unread.append(f"{self._shown(path)}: {error}")
            return
        for number, line in enumerate((data or b"").splitlines(), 1):
            yield number, line.decode("utf-8", "replace")

    def _lines(self, path: str, kind: str, pattern: str) -> Iterator[Trace]:
        wanted = re.compile(pattern)
        for number, line in self._read(path):
            if wanted.search(line):
                yield Trace(kind, "", self._shown(path), number, "a line that sets one")

    def _assigned(self, path: str, how: str) -> Iterator[Trace]:
        for number, line in self._read(path):
            match = _ASSIGNED.match(line)
            if match is not None and is_secret_name(match[1]):
                yield Trace("", match[1], self._shown(path), number, how)

    def _workflow(self, path: str) -> Iterator[Trace]:
        for number, line in self._read(path):
            for match in _SECRET.finditer(line):
                yield Trace("", match[1] or match[2], self._shown(path), number, "CI secret")
            key = _KEY.match(line)
            if key is not None and is_secret_name(key[1]) and not _SECRET.search(line):
                yield Trace("", key[1], self._shown(path), number, "variable of a CI job")
            for pattern, kind, how in _POWERS:
                if pattern.search(line):
                    yield Trace(kind, "", self._shown(path), number, how)

    def _pipeline(self, path: str) -> Iterator[Trace]:
        for number, line in self._read(path):
            for match in _VARIABLE.finditer(line):
                name = match[1] or match[2]
                if match[2] or is_secret_name(name):
                    yield Trace("", name, self._shown(path), number, "CI secret")


_POWERS = (
    (_ALL_SECRETS, "every CI secret of the repository", "the job is given all of them"),
    (_OIDC, "cloud role or publishing right (OIDC)", "the job may ask for an identity token"),
    (_WRITES, "GitHub token of a job that may write", "the job's own token may change the repository"),
    (_OWN_RUNNER, "runner of your own", "what ran there may have stayed"),
)
