"""The table ``[state]``: an address without a password, and every defect at once."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from lazaretto.bootstrap import App
from lazaretto.settings import SettingsError, load
from lazaretto.settings.state import DEFAULT_KEEP, StateSettings


def read(folder: Path, text: str) -> StateSettings | None:
    """Return what the settings of a folder say of the state."""
    (folder / "lazaretto.toml").write_text(text)
    return load({}, folder, folder).state


def test_what_is_shared_is_named(tmp_path: Path) -> None:
    """Both addresses, where the password is, and where the store is."""
    text = """
        [state]
        journal = "postgresql://lazaretto@db.example.invalid:5432/lazaretto?sslmode=verify-full"
        password_file = "/run/secrets/lazaretto"
        blobs = "s3://artifacts/lazaretto"
        endpoint = "https://store.example.invalid"
        region = "here-1"
    """
    known = read(tmp_path, text)
    assert known == StateSettings(
        journal="postgresql://lazaretto@db.example.invalid:5432/lazaretto?sslmode=verify-full",
        password_file=Path("/run/secrets/lazaretto"),
        blobs="s3://artifacts/lazaretto",
        endpoint="https://store.example.invalid",
        region="here-1",
        keep=DEFAULT_KEEP,
    )
    assert read(tmp_path, f'{text}keep = "1 GiB"\n') == replace(known, keep=1 << 30)
    assert read(tmp_path, "") is None
    assert read(tmp_path, "[state]\n") == StateSettings()


def test_without_a_server_a_firewall_is_alone(tmp_path: Path) -> None:
    """Blobs alone may be shared; only a shared ledger makes a firewall one of several."""
    alone = {}
    for text in ("", '[state]\nblobs = "s3://a/b"\n', '[state]\njournal = "postgresql://h/d"\n'):
        (tmp_path / "lazaretto.toml").write_text(text)
        with App(load({}, tmp_path, tmp_path)) as app:
            alone[text] = app.stores.alone

    assert list(alone.values()) == [True, True, False]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('journal = "sqlite:///x"', "state.journal: must be an address such as postgresql://"),
        ('journal = "postgresql://host"', "state.journal: must be an address"),
        ('journal = "postgresql://[host/x"', "state.journal: is no address"),
        ('journal = "postgresql://me:hunter2@host/x"', "state.journal: must not hold a password"),
        ('journal = "postgresql://host/x?password=hunter2"', "state.journal: must not hold a password"),
        ('blobs = "https://x/y"', "state.blobs: must be an address such as s3://"),
        ('blobs = "s3:///y"', "state.blobs: must be an address such as s3://"),
        ('endpoint = "store"', "state.endpoint: must begin with"),
        ("region = 3", "state.region: must be a text"),
        ('journal = "postgresql://h/d"\nblobs = "s3://a/b"\nkeep = "much"', "state.keep:"),
        ('blobs = "s3://a/b"\nkeep = "1 GiB"', "state.keep: bounds a store that is shared together with a ledger"),
        ('blob = "s3://x/y"', "state.blob: unknown key"),
    ],
)
def test_defects_are_told_without_a_secret(tmp_path: Path, line: str, told: str) -> None:
    """Each names its key, and none repeats a password."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f"[state]\n{line}\n")

    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)
