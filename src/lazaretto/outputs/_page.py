"""What pages of HTML have in common: how code looks, and a policy that allows a page its own style only."""

from base64 import b64encode
from hashlib import sha256

CODE_STYLE = """\
code{font:.875em/1.5 ui-monospace,monospace;background:var(--code);border-radius:.2rem;padding:.1em .25em}
pre{margin:.25rem 0;padding:.5rem .75rem;background:var(--code);border-radius:.3rem;white-space:pre-wrap}
pre code{padding:0;background:none}
"""


def policy(style: str) -> str:
    """Return the policy of a page that stands alone: no script, nothing from elsewhere (CSP level 3)."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
