"""Bytes in another dress: what packed numbers, identifiers and addresses give, and what they refuse."""

import uuid

import pytest

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import python

TEXT = "curl x.invalid|s"
IDENTIFIER = str(uuid.UUID(bytes=TEXT.encode()))


@pytest.mark.parametrize(
    "made",
    [
        f"struct.pack('16B', {', '.join(str(ord(c)) for c in TEXT)}).decode()",
        f"struct.pack(b'<16s', {TEXT.encode()!r}).decode()",
        f"array.array('B', {[ord(c) for c in TEXT]}).tobytes().decode()",
        f"array.array('u', '{TEXT}').tounicode()",
        f"memoryview({TEXT.encode()!r}).tobytes().decode()",
        f"uuid.UUID('{IDENTIFIER}').bytes.decode()",
        f"uuid.UUID(bytes={TEXT.encode()!r}).bytes.decode()",
        f"bytes.fromhex(uuid.UUID('{IDENTIFIER}').hex).decode()",
        f"uuid.UUID('urn:uuid:{uuid.UUID(bytes_le=TEXT.encode())}').bytes_le.decode()",
        f"uuid.UUID('{IDENTIFIER}').int.to_bytes(16, 'big').decode()",
        "ipaddress.ip_address('6375:726c:2078:2e69:6e76:616c:6964:7c73').packed.decode()",
        f"''.join(f'{{n:c}}' for n in {[ord(c) for c in TEXT]})",
        f"'{TEXT.swapcase()}'.translate(str.maketrans('CURLXINVADScurlxinvads', 'curlxinvadsCURLXINVADS'))",
        f"{TEXT.encode()!r}.translate(bytes.maketrans(b'', b'')).decode()",
        f"f'{{{TEXT!r}!s}}'",
    ],
)
def test_what_they_give(made: str) -> None:
    """The text that would really be used."""
    data = f"import array, ipaddress, os, struct, uuid\nos.system({made})\n".encode()
    facts = python.read("python", data, NoUnits())
    assert TEXT in [fact.value for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN]


@pytest.mark.parametrize(
    "made",
    [
        "struct.pack('999999999s', b'')",
        "struct.pack('B', 4000)",
        "struct.pack('B')",
        "struct.pack(x, 1)",
        "array.array('B', [300])",
        "array.array('B', ['a'])",
        "array.array('d', [1.5])",
        "array.array(x)",
        "uuid.UUID('nothing')",
        "uuid.UUID('zz75726c-2078-2e69-6e76-616c69647c73')",
        "uuid.UUID(x)",
        "uuid.UUID(bytes=b'short')",
        "ipaddress.ip_address('nowhere')",
        "ipaddress.ip_address(x)",
        "str.maketrans('a', 'bc')",
        "str.maketrans(x)",
        "f'{x:>{y}}'",
    ],
)
def test_what_they_refuse(made: str) -> None:
    """Of what Python would refuse, or nobody can know, no text comes; the fact stays."""
    facts = python.read("python", f"import os\nos.system({made})\n".encode(), NoUnits())
    assert [fact.value for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN] in ([None], ["{}"])
    assert facts.complete
