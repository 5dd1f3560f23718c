"""The one line that each client needs to ask the firewall instead of its registry."""


def lines(url: str) -> tuple[tuple[str, str], ...]:
    """Return (client, what to run) for a firewall at this address."""
    npm, pypi = f"{url}/npm/", f"{url}/pypi/simple/"
    host = url.partition("://")[2].rpartition(":")[0] or url.partition("://")[2]
    plain = f" && yarn config set --home unsafeHttpWhitelist {host}" if url.startswith("http://") else ""
    return (
        ("npm", f"npm config set registry {npm}"),
        ("pnpm", f"pnpm config set registry {npm}"),
        ("yarn 1", f"yarn config set registry {npm}"),
        ("yarn", f"yarn config set --home npmRegistryServer {npm}{plain}"),
        ("bun", f"printf '[install]\\nregistry = \"{npm}\"\\n' >> ~/.bunfig.toml"),
        ("pip", f"pip config set global.index-url {pypi}"),
        ("uv", f"export UV_DEFAULT_INDEX={pypi}"),
        ("poetry", f"poetry source add --priority=primary lazaretto {pypi}"),
        ("pdm", f"pdm config pypi.url {pypi}"),
    )
