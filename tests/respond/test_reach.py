"""What is within reach is named, and never held: kinds, names and places, and no value of anything."""

from pathlib import Path

import pytest

from lazaretto.app.respond.ports import IncidentError, Looked
from lazaretto.infra import reach
from lazaretto.infra.reach import LocalReach

PLANTED = "PLANTED0123456789abcdef"
WORKFLOW = f"""\
permissions: write-all
env:
  API_TOKEN: {PLANTED}
jobs:
  a:
    runs-on: [self-hosted]
    permissions:
      id-token: write
    steps:
      - run: echo ${{{{ secrets.NPM_TOKEN }}}} ${{{{secrets['OTHER-ONE']}}}} ${{{{ secrets["SIGNING_KEY"] }}}}
      - uses: ./x
        with: {{ all: "${{{{ toJSON(secrets) }}}}" }}
"""


def put(root: Path, **files: str) -> None:
    """Write files, ``__`` in a name for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return a disk of a machine with every kind of secret."""
    home = tmp_path / "m" / "home" / "dev"
    files = {
        ".npmrc": f"//npm.invalid/:_authToken={PLANTED}\n",
        ".ssh/id_ed25519": PLANTED,
        ".aws/credentials": f"aws_secret_access_key = {PLANTED}\n",
        ".bashrc": f"export GH_TOKEN={PLANTED}\nexport EDITOR=vi\n# export OLD_TOKEN\n",
        ".netrc": f"machine a.invalid login b password {PLANTED}\n",
        "work/app/.env.local": f"STRIPE_SECRET={PLANTED}\nPORT=80\nEMPTY_TOKEN=\n",
        "work/app/.npmrc": "registry=https://npm.invalid/\n",
        "work/app/web/package-lock.json": "{}",
        "work/app/.github/workflows/ci.yml": WORKFLOW,
        "work/app/.github/workflows/notes.txt": "secrets.NOT_READ",
        "work/app/.gitlab-ci.yml": "a:\n  script: deploy $DEPLOY_TOKEN $CI_COMMIT_SHA ${VAULT_TOKEN}\n",
        "work/app/Jenkinsfile": "x = credentials('release-key')\n",
    }
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    put(tmp_path / "m", var__lib__cloud__instance="", etc__environment=f"AWS_SECRET_KEY={PLANTED}\n")
    put(tmp_path / "m" / "root", **{".vault-token": PLANTED})
    return tmp_path / "m"


def looked(found: tuple[Looked, ...] | str) -> dict[str, Looked]:
    """Return what was looked at, by its kind and place."""
    assert not isinstance(found, str), found
    return {f"{one.kind} {one.where}": one for one in found}


def test_a_place_on_a_named_disk(disk: Path) -> None:
    """Its project, the home that it lies in, and the machine: each trace with its file and line."""
    found = looked(
        LocalReach({"m": str(disk)}).around("m/home/dev/work/app/web/package-lock.json", whole_machine=False)
    )
    assert set(found) == {"project m/home/dev/work/app", "home m/home/dev", "machine m"}
    project = {(one.kind, one.name, one.how) for one in found["project m/home/dev/work/app"].traces}
    assert project == {
        ("", "STRIPE_SECRET", "variable in a file of the project"),
        ("", "API_TOKEN", "variable of a CI job"),
        ("", "NPM_TOKEN", "CI secret"),
        ("", "SIGNING_KEY", "CI secret"),
        ("", "DEPLOY_TOKEN", "CI secret"),
        ("", "VAULT_TOKEN", "CI secret"),
        ("", "release-key", "CI secret"),
        ("GitHub token of a job that may write", "", "the job's own token may change the repository"),
        ("cloud role or publishing right (OIDC)", "", "the job may ask for an identity token"),
        ("runner of your own", "", "what ran there may have stayed"),
        ("every CI secret of the repository", "", "the job is given all of them"),
    }
    home = {(one.kind, one.name, one.path, one.line) for one in found["home m/home/dev"].traces}
    assert home == {
        ("npm token", "", "m/home/dev/.npmrc", 1),
        ("SSH key", "", "m/home/dev/.ssh/id_ed25519", 0),
        ("cloud key (AWS)", "", "m/home/dev/.aws/credentials", 0),
        ("password of a host", "", "m/home/dev/.netrc", 1),
        ("", "GH_TOKEN", "m/home/dev/.bashrc", 1),
    }
    machine = {(one.kind, one.name) for one in found["machine m"].traces}
    assert machine == {("", "AWS_SECRET_KEY"), ("cloud role (instance metadata)", "")}


def test_code_that_ran_reaches_every_home(disk: Path) -> None:
    """Nobody knows as whom it ran: each home of the machine counts."""
    (disk / "var/lib/cloud/instance").unlink()
    put(disk, **{"var__run__secrets__kubernetes.io__serviceaccount__token": PLANTED})
    (disk / "run/cloud-init").mkdir(parents=True)
    found = looked(LocalReach({"m": str(disk)}).around("m/opt/x", whole_machine=True))
    assert {"home m/root", "home m/home/dev", "machine m"} <= set(found)
    kinds = {one.kind for one in found["machine m"].traces}
    assert {"cloud role (instance metadata)", "cluster key (Kubernetes)"} <= kinds


def test_no_value_leaves(disk: Path) -> None:
    """Whatever is asked, what comes back holds no piece of a secret."""
    for place in ("m/home/dev/work/app/web/package-lock.json", "m/x"):
        for whole in (True, False):
            assert PLANTED not in repr(LocalReach({"m": str(disk)}).around(place, whole_machine=whole))


def test_places_of_this_machine(disk: Path) -> None:
    """An absolute path is one of this machine, or of a disk that lies there."""
    path = f"{disk}/home/dev/.npm/_cacache"
    (disk / "home/dev/.npm/_cacache").mkdir(parents=True)
    found = looked(LocalReach({"m": str(disk)}).around(path, whole_machine=False))
    assert set(found) == {"home m/home/dev", "machine m"}
    here = looked(LocalReach({}).around(f"{disk}/home/dev/work/app", whole_machine=False))
    assert f"project {disk}/home/dev/work/app" in here
    assert "where the disk other lies is not known" in LocalReach({}).around("other/x", whole_machine=False)


def test_each_place_is_looked_at_once(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two places of one home do not read it twice."""
    made = LocalReach({"m": str(disk)})
    first = looked(made.around("m/home/dev/work/app/x", whole_machine=False))
    monkeypatch.setattr(reach._Look, "looked", None)
    assert looked(made.around("m/home/dev/work/app/y", whole_machine=False)) == first


def test_bounds_are_said(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is listed is counted; a file that is too large is named."""
    monkeypatch.setattr(reach, "MAX_TRACES", 1)
    monkeypatch.setattr(reach, "MAX_FILE", 60)
    found = looked(LocalReach({"m": str(disk)}).around("m/home/dev/work/app/web", whole_machine=False))
    assert any("more credentials are not listed" in text for text in found["home m/home/dev"].unread)
    unread = found["project m/home/dev/work/app"].unread
    assert any("ci.yml: larger than 60 bytes" in text for text in unread)


def test_folders_that_cannot_be_listed_are_said(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be looked into is named, not taken for an empty one."""
    monkeypatch.setattr("lazaretto.infra.sealed.MAX_LISTED", 0)
    found = looked(LocalReach({}).around(f"{disk}/home/dev/work/app", whole_machine=False))
    assert any("names: not looked at" in text for one in found.values() for text in one.unread)


def test_texts_beside_a_place(disk: Path) -> None:
    """A manifest is returned, unless something in it looks like a secret, or it is no text."""
    app = disk / "home/dev/work/app"
    made = LocalReach({"m": str(disk)})
    (app / "package.json").write_text("{}")
    (app / "node_modules").mkdir()
    assert made.text("m/home/dev/work/app/package-lock.json", "package.json") == "{}"
    assert made.text("m/home/dev/work/app/node_modules", "package.json") == "{}"
    assert made.text("m/home/dev/work/app", "none") is None
    assert made.text("other/x", "package.json") is None
    (app / "package.json").write_text(f'{{"scripts": {{"x": "a ghp_{PLANTED}"}}}}')
    with pytest.raises(IncidentError, match="looks like a secret"):
        made.text("m/home/dev/work/app", "package.json")
    (app / "package.json").write_bytes(b"\xff")
    with pytest.raises(IncidentError, match="not UTF-8"):
        made.text("m/home/dev/work/app", "package.json")
    (app / "package.json").write_bytes(b" " * (reach.MAX_FILE + 1))
    with pytest.raises(IncidentError, match="cannot be read"):
        made.text("m/home/dev/work/app", "package.json")


def test_a_bare_repository_is_told(disk: Path) -> None:
    """Its workflows lie in no folder: what they name is not known, and that is said."""
    put(disk, srv__app_git__HEAD="ref: refs/heads/main\n", srv__app_git__objects__x="")
    found = looked(LocalReach({"m": str(disk)}).around("m/srv/app_git", whole_machine=False))
    assert "a bare repository" in found["project m/srv/app_git"].unread[0]
