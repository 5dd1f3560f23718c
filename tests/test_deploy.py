"""What is handed out to run the firewall: closed by default, pinned, and without the name of any host.

The linters of each format are run by ``tools/check_deploy.py``; here is what they do not know.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "lazaretto.service").read_text(encoding="utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
CHART = (DEPLOY / "chart" / "templates" / "firewall.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictNamespaces=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallArchitectures=native",
        "UMask=0077",
        "Restart=on-failure",
        "OOMPolicy=continue",
    ],
)
def test_the_unit_is_closed(line: str) -> None:
    """Each of these takes something away that the service does not need; one that is lost must show in review."""
    assert line in UNIT.splitlines()


def test_readers_can_confine_themselves_under_the_unit() -> None:
    """The unit lets through what a reader needs to shut itself in; without it every release would be held."""
    allowed = re.findall(r"^SystemCallFilter=(?!~)(.*)$", UNIT, re.MULTILINE)

    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= set(" ".join(allowed).split())
    assert "AF_UNIX" in UNIT  # socket pairs


def test_the_same_command_is_started_everywhere() -> None:
    """Unit and container start the same program with the same file of settings."""
    words = re.findall(r'"([^"]+)"', re.findall(r"^CMD \[(.*)\]$", CONTAINERFILE, re.MULTILINE)[-1])

    assert f"ExecStart=/opt/lazaretto/bin/lazaretto {' '.join(words)}" in UNIT.splitlines()
    assert '"/opt/lazaretto/bin/lazaretto"' in CONTAINERFILE


def test_the_base_is_chosen_by_whoever_builds() -> None:
    """No image of anyone is named; without a choice nothing is built."""
    assert re.search(r"^ARG BASE$", CONTAINERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${BASE}"}
    assert "${LAZARETTO_BASE:?" in COMPOSE


def test_only_known_bytes_are_installed() -> None:
    """Every installation in the container asks for hashes, or takes what was built there."""
    installs = re.findall(r"pip install (.*?)(?:&&|\n[A-Z])", CONTAINERFILE, re.DOTALL)

    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)
    assert "USER 65532:65532" in CONTAINERFILE


def test_what_is_copied_is_there() -> None:
    """Every file that the container copies is in the tree, or comes with the firewall's own requirements."""
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE)
        for word in line.split()[:-1]
        if word != "requirements/firewall.txt"
    ]

    assert copied
    assert [word for word in copied if not (ROOT / word).exists()] == []


def test_compose_is_reachable_from_this_machine_alone() -> None:
    """Ports are bound to loopback; the container has nothing that it does not need."""
    assert re.findall(r'^ +- "([^"]+:8790)"$', COMPOSE, re.MULTILINE) == ["127.0.0.1:8790:8790"]
    for line in ("read_only: true", "- ALL", "- no-new-privileges:true", "init: true"):
        assert line in COMPOSE


@pytest.mark.parametrize(
    "line",
    [
        "automountServiceAccountToken: false",
        "enableServiceLinks: false",
        "runAsNonRoot: true",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "drop: [ALL]",
        "emptyDir: {medium: Memory, sizeLimit: 256Mi}",
    ],
)
def test_the_chart_is_closed(line: str) -> None:
    """Each of these takes something away that a pod does not need; one that is lost must show in review."""
    assert line in [one.strip().removeprefix("- ") for one in CHART.splitlines()]


def test_the_chart_starts_the_same_command() -> None:
    """The pod hands the container what the image would start by itself, and mounts what it writes to."""
    words = re.findall(r'"([^"]+)"', re.findall(r"^CMD \[(.*)\]$", CONTAINERFILE, re.MULTILINE)[-1])

    assert re.findall(r'"([^"]+)"', re.findall(r"^ +args: \[(.*)\]$", CHART, re.MULTILINE)[0]) == words
    volumes = re.findall(r'"([^"]+)"', re.findall(r"^VOLUME \[(.*)\]$", CONTAINERFILE, re.MULTILINE)[0])
    assert set(volumes) < set(re.findall(r"mountPath: ([^,}]+)", CHART))


def test_no_image_is_named() -> None:
    """Which image runs is chosen by whoever builds it; without a choice nothing is rendered."""
    assert re.search(r'^image: ""$', (DEPLOY / "chart" / "values.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^ +image: (.*)$", CHART, re.MULTILINE)[0].startswith("{{ required ")


@pytest.mark.parametrize(
    "path", sorted(one for one in DEPLOY.rglob("*") if one.is_file()), ids=lambda path: str(path.relative_to(DEPLOY))
)
def test_no_host_is_named(path: Path) -> None:
    """Registries are those of the user's own configuration: no address but loopback stands here."""
    text = path.read_text(encoding="utf-8")

    named = set(re.findall(r"https?://([^\s/'\"]+)", text))
    assert named <= {"127.0.0.1:8790", "lazaretto:8790", "json-schema.org"}  # the last is a name, and never asked
