"""Which commands give an interpreter its code, or install more: what is vendored into a folder is neither."""

import pytest

from lazaretto.core.started import hands_code


@pytest.mark.parametrize(
    ("command", "hands"),
    [
        ("python3 -c import x", True),
        ("pip install left", True),
        ("python -m pip install -q left", True),
        ("uv pip install left", True),
        ("powershell -enc AAAA", True),
        ("uv pip install --target {} --python-version {} --only-binary :all: {}", False),
        ("pip install --target=vendored -r vendored.txt", False),
        ("pip3 install --prefix out left", True),
        ("pip install --root / left", True),
        ("pip download left", False),
        ("python3 setup.py", False),
        (None, False),
    ],
)
def test_what_hands_code_to_an_interpreter(command: str | None, hands: bool) -> None:
    """An installation into the environment changes what runs; one into a folder of its own does not."""
    assert hands_code(command) is hands
