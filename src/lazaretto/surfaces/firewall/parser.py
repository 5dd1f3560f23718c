"""The arguments of ``lazaretto firewall`` and ``lazaretto audit``, with examples in their help."""

import argparse
import getpass
from datetime import UTC, datetime
from typing import TypeAlias

_ACTS = {
    "allow": ("allow an artifact by its digest, whatever a reading said", "V7K2M9QX --reason 'read by hand'"),
    "block": ("refuse an artifact", "pkg:npm/axios@1.14.1 --reason 'incident 2026-03'"),
    "waive": ("allow an artifact until a date", "V7K2M9QX --reason 'needed for the release' --until 2026-12-31"),
    "revoke": ("take a permission back: held until someone decides again", "V7K2M9QX --reason 'reported today'"),
}

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def build() -> argparse.ArgumentParser:
    """Return the parser of both words."""
    parser = argparse.ArgumentParser(prog="lazaretto", description="Run the firewall, and decide about what it holds.")
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    firewall = words.add_parser("firewall", help="a gate in front of npm and PyPI registries")
    _firewall(firewall.add_subparsers(dest="act", required=True, metavar="ACT"))
    audit = words.add_parser("audit", help="the chain of all acts")
    acts = audit.add_subparsers(dest="act", required=True, metavar="ACT")
    _act(acts, "verify", "check that no act was changed, removed or put in")
    return parser


def _firewall(acts: Commands) -> None:
    _act(acts, "run", "serve until it is ended")
    _act(acts, "status", "count what was seen, decided, handed out and done")
    review = _act(acts, "review", "list what is withheld, or show the evidence about one artifact", "", "V7K2M9QX")
    _subject(review, optional=True)
    review.add_argument("-v", "--verbose", action="store_true", help="show every place and record")
    for name, (summary, example) in _ACTS.items():
        act = _act(acts, name, summary, example)
        _subject(act, optional=False)
        _signed(act)
    token = _act(acts, "token", "make, list or revoke tokens of clients", "make ci --scope read --group ci", "list")
    token.add_argument("deed", choices=("make", "list", "revoke"))
    token.add_argument("name", nargs="?", help="by which people know it (to revoke, also oidc:ISSUER:SUBJECT)")
    token.add_argument(
        "--scope", action="append", choices=("read", "review", "admin", "publish"), help="what it may (default: read)"
    )
    token.add_argument("--group", help="whose policy it has")
    _signed(token, reason="")
    _act(acts, "check-config", "read the settings and say what they mean")


def _act(acts: Commands, name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
    made = acts.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:", *(f"  lazaretto firewall {name} {example}".rstrip() for example in examples)])
        if examples
        else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", metavar="FILE", help="settings file (default: the nearest lazaretto.toml)")
    return made


def _subject(parser: argparse.ArgumentParser, *, optional: bool) -> None:
    parser.add_argument(
        "subject",
        nargs="?" if optional else None,
        help="a verdict id, a digest (sha256:…), or a package URL with its version",
    )


def _signed(parser: argparse.ArgumentParser, reason: str | None = None) -> None:
    parser.add_argument("--reason", required=reason is None, default=reason, help="why, for whoever reads the record")
    parser.add_argument("--by", default=_user(), help="who decides (default: your user name)")
    parser.add_argument("--until", type=_until, metavar="DATE", help="until when it counts, such as 2026-12-31")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _until(text: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-12-31 or 2026-12-31T12:00:00Z") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
