"""``lazaretto firewall …`` and ``lazaretto audit verify``: run it, see what it holds, decide, check the record."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from lazaretto.app import review
from lazaretto.app.ports import PortError
from lazaretto.app.rendering import RenderOptions
from lazaretto.app.report import EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_REFUSED, EXIT_USAGE, SCHEMA, Report, UpdateReport
from lazaretto.bootstrap import App, output
from lazaretto.core.act import Act
from lazaretto.core.chain import verify
from lazaretto.core.firewall_policy import FirewallPolicy
from lazaretto.core.inert import inert
from lazaretto.core.standing import Decision, Identity
from lazaretto.settings import Settings, SettingsError, load
from lazaretto.surfaces.firewall import parser
from lazaretto.surfaces.firewall.clients import lines

MAX_LISTED = 200
"""Refusals that ``review`` lists."""


def main(arguments: Sequence[str]) -> int:
    """Run one command (its words begin with ``firewall`` or ``audit``) and return its exit code."""
    options = parser.build().parse_args(arguments)
    try:
        with App(_settings(options), service=True) as app:
            return _COMMANDS[options.act](app, options)
    except KeyboardInterrupt:
        return 0
    except (SettingsError, review.ReviewError) as error:
        return _fail(str(error), EXIT_USAGE)
    except PortError as error:
        return _fail(str(error), EXIT_INCOMPLETE)


def run(app: App, options: argparse.Namespace) -> int:
    """Serve until the end; after SIGHUP a process with the new settings takes the place of this one."""
    try:
        from lazaretto.infra.memory import give_back_early
        from lazaretto.surfaces.firewall.service import LISTENER, serve
    except ImportError as error:
        return _fail(f"{error.name} is not installed: install lazaretto[firewall], or run `make setup`", EXIT_USAGE)

    def announce(url: str) -> None:
        mode = app.firewall.policy.mode.value
        _say(f"The firewall is open at {url} ({mode}). To install through it:")
        for client, line in lines(url):
            _say(f"  {client:7} {line}")
        for identifier in ("npm", "pypi"):
            _say(f"  {identifier} is asked for at {', '.join(map(_bare, app.upstream(identifier).addresses))}")
        _say("What it holds: lazaretto firewall review    To end it: Ctrl-C")
        sys.stdout.flush()

    def usable() -> str:
        try:
            _settings(options)
        except SettingsError as error:
            return str(error)
        return ""

    give_back_early()  # or each thread keeps what it has freed
    left = serve(app, announce, usable)
    if left is not None:
        app.close()
        left.set_inheritable(True)
        words = [sys.executable, "-m", "lazaretto", *sys.argv[1:]]
        os.execve(sys.executable, words, {**os.environ, LISTENER: str(left.fileno())})  # noqa: S606 - ourselves anew
    return 0


def status(app: App, _: argparse.Namespace) -> int:
    """Say what was handed out, decided and done."""
    counts = app.ledger.counts()
    width = max(len(name) for name in counts)
    for name, count in counts.items():
        _say(f"{name:{width}}  {count}")
    return 0


def show(app: App, options: argparse.Namespace) -> int:
    """List what is refused, or show the evidence about one artifact."""
    if app.firewall.advisories:
        app.adviser.refresh()
    if options.subject is None:
        return _queue(app)
    for identity in review.find(app.ledger, options.subject):
        item = review.stands(app.ledger, app.adviser, app.firewall.policy, identity, app.clock.now())
        stands, own = item.standing, _decisions(app, identity)
        _say(f"{stands.verdict}  {stands.place.value}  {identity.ecosystem}:{identity.project}@{identity.version}")
        _say(f"  file    {identity.filename}")
        _say(f"  digest  {stands.sha256 or identity.told}")
        _say(f"  reason  {stands.reason}")
        if app.firewall.policy.groups:
            _say(f"  refused to {_whom(item, app.firewall.policy)}")
        for one in own:
            _say(f"  {one.decided_at:%Y-%m-%d %H:%M}  {one.outcome.word:5}  by {one.basis.value}: {one.reason}")
        _evidence(app, own, verbose=options.verbose)
    return 0


def _queue(app: App) -> int:
    """List what is refused now, and to whom."""
    shown = 0
    policy, now = app.firewall.policy, app.clock.now()
    for item in review.queue(app.ledger, app.adviser, policy, now, MAX_LISTED):
        shown += 1
        one, stands = item.identity, item.standing
        _say(f"{stands.verdict}  {stands.outcome.word:5}  {one.ecosystem}:{one.project}@{one.version}  {one.filename}")
        _say(f"          {stands.reason}")
        if policy.groups:
            _say(f"          refused to {_whom(item, policy)}")
    if not shown:
        _say("nothing is withheld")
    return 0 if shown else EXIT_NOTHING


def _whom(item: review.Item, policy: FirewallPolicy) -> str:
    """Say whom an artifact is refused to."""
    spared = [one.name for one in policy.groups if one.name not in item.groups]
    if not item.everyone:
        return f"the groups {', '.join(item.groups)} alone" if item.groups else "nobody"
    return f"everyone but the groups {', '.join(spared)}" if spared else "everyone"


def _decisions(app: App, identity: Identity) -> tuple[Decision, ...]:
    """Return what was decided of an artifact."""
    decisions = app.ledger.decisions(identity.ecosystem, identity.project)
    return tuple(one for one in decisions if (one.filename, one.told) == (identity.filename, identity.told))


def decide(app: App, options: argparse.Namespace) -> int:
    """Allow, block, waive or revoke."""
    verb = review.Verb(options.act)
    made = review.decide(app.ledger, verb, options.subject, options.by, options.reason, options.until, app.clock.now())
    for one in made:
        until = f" until {one.expires:%Y-%m-%d %H:%M} UTC" if one.expires is not None else ""
        _say(f"{one.verdict}  {one.outcome.word}{until}  {one.ecosystem}:{one.project}@{one.version}  {one.filename}")
    return 0


def token(app: App, options: argparse.Namespace) -> int:
    """Make, list or revoke tokens."""
    from lazaretto.core.access import OIDC_PREFIX, TOKEN_BYTES, Scope, mint

    now = app.clock.now()
    if options.deed == "list":
        for one in app.ledger.tokens():
            end = f"{one.expires:%Y-%m-%d}" if one.expires is not None else "never"
            _say(f"{one.name}  {' '.join(sorted(one.scopes))}  expires {end}  group {one.group or '-'}")
        return 0
    if not options.name:
        return _fail("name the token: lazaretto firewall token make NAME", EXIT_USAGE)
    if options.deed == "revoke":
        app.ledger.end_token(options.name, Act(now, options.by, "revoke-token", options.name, options.reason))
        others = options.name.startswith(OIDC_PREFIX)
        _say(f"what was issued to {options.name} is revoked" if others else f"the token {options.name} is revoked")
        return 0
    try:
        scopes = [Scope(word) for word in options.scope or ("read",)]
        text, made = mint(os.urandom(TOKEN_BYTES), options.name, scopes, now, options.until, options.group)
    except ValueError as error:
        return _fail(str(error), EXIT_USAGE)
    app.ledger.add_token(made, Act(now, options.by, "make-token", options.name, options.reason, options.until))
    _say(text)
    return 0


def check_config(app: App, _: argparse.Namespace) -> int:
    """Say what the settings mean; they were read without an error."""
    settings = app.firewall
    policy = settings.policy
    _say(f"settings  {app.settings.source}")
    _say(f"listen    {settings.host}:{settings.port}")
    _say(f"mode      {policy.mode.value}, horizon {policy.horizon}, patience {policy.patience}")
    _say(f"state     {app.settings.state_dir}")
    _say_shared(app.settings)
    for identifier in ("npm", "pypi"):
        _say(f"{identifier:9} {', '.join(map(_bare, app.upstream(identifier).addresses))}")
    for upstream in settings.upstreams:
        if upstream.ecosystem == "npm":
            _say(f"          publish {upstream.publish}, login {upstream.login} at {_bare(upstream.url)}")
    for one in settings.issuers:
        _say(f"issuer    {one.name}: {one.url} for {one.audience}, group {one.group or '-'}")
    _say(f"keep      {settings.keep >> 20} MiB of artifacts")
    _say(f"traces    {_bare(settings.traces) if settings.traces else 'none'}")
    from lazaretto.surfaces.firewall.service import refuse_itself

    refuse_itself(app, settings.host, settings.port)
    return 0


def _say_shared(settings: Settings) -> None:
    """Say what is kept with other firewalls; the settings hold no password."""
    state = settings.state
    if state is not None and state.journal:
        source = state.password_file or "PGPASSWORD, PGPASSFILE or ~/.pgpass, if there is one"
        _say(f"journal   {state.journal}, password from {source}")
    if state is not None and state.blobs:
        where = ", ".join(filter(None, (state.endpoint, state.region))) or "as the usual variables say"
        _say(f"blobs     {state.blobs} ({where}), in front of it {settings.cache_dir / 'served'}")


def audit(app: App, _: argparse.Namespace) -> int:
    """Check that no act was changed, removed or put in."""
    entries = list(app.ledger.acts())
    broken = verify(entries)
    if broken is not None:
        _say(f"act {broken.number}: {broken.reason}")
        return EXIT_REFUSED
    head = entries[-1].hash if entries else "none"
    _say(f"{len(entries)} acts, each sealed to the one before it; the last seal is {head}")
    return 0 if entries else EXIT_NOTHING


def _settings(options: argparse.Namespace) -> Settings:
    return load(os.environ, Path.cwd(), Path.home(), Path(options.config) if options.config else None)


_COMMANDS: dict[str, Callable[[App, argparse.Namespace], int]] = {
    "run": run,
    "status": status,
    "review": show,
    "allow": decide,
    "block": decide,
    "waive": decide,
    "revoke": decide,
    "token": token,
    "check-config": check_config,
    "verify": audit,
}


def _evidence(app: App, decisions: Sequence[Decision], *, verbose: bool) -> None:
    """Print the report of the last reading, if there is one."""
    digest = next((one.report for one in reversed(decisions) if one.report is not None), None)
    body = app.served_blobs.get(digest) if digest is not None else None
    if body is not None:
        update = msgspec.json.decode(body, type=UpdateReport)
        report = Report(SCHEMA, "", (update,), app.rules.table.status)
        sys.stdout.write("\n" + output("terminal").render(report, RenderOptions(verbose=verbose)))


def _bare(url: str) -> str:
    from lazaretto.infra.redact import shown

    return shown(url)


def _say(text: str) -> None:
    sys.stdout.write(f"{inert(text, 400)}\n")


def _fail(message: str, code: int) -> int:
    for line in message.splitlines() or [""]:
        sys.stderr.write(f"lazaretto: {inert(line)}\n")
    return code
