"""Where an indicator of the registry would lie: every way of writing it, and nothing that would fit everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.hive.spots import FILES, HiveKind, NoSpot, Spot, spots, with_data, written

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


def lies(text: str) -> set[tuple[str, str, str]]:
    """Return where a text would lie: the hive's root, the names, the data."""
    return {(spot.hive.name, "\\".join(spot.names), spot.data) for spot in spots(text)}


def in_64_bits(text: str) -> set[tuple[str, str]]:
    """Return the same without data, and without where a program of 32 bits would have put it."""
    return {(hive, names) for hive, names, _ in lies(text) if "Wow6432Node" not in names}


USERS = ("USER", "DEFAULT", "LOCAL_SERVICE", "NETWORK_SERVICE")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (rf"HKCU\{RUN}\Evil", {(hive, rf"{RUN}\Evil") for hive in USERS}),
        (rf"HKEY_CURRENT_USER\{RUN}\Evil", {(hive, rf"{RUN}\Evil") for hive in USERS}),
        (rf"HKCU:\{RUN}\Evil", {(hive, rf"{RUN}\Evil") for hive in USERS}),
        (rf"Computer\HKEY_USERS\S-1-5-21-7\{RUN}\Evil", {("USER", rf"{RUN}\Evil")}),
        (rf"\REGISTRY\USER\<SID>\{RUN}\Evil", {("USER", rf"{RUN}\Evil")}),
        (rf"HKU\*\{RUN}\Evil", {("USER", rf"{RUN}\Evil")}),
        (rf"HKU\.DEFAULT\{RUN}\Evil", {("DEFAULT", rf"{RUN}\Evil")}),
        (rf"HKU\S-1-5-18\{RUN}\Evil", {("DEFAULT", rf"{RUN}\Evil")}),
        (rf"HKU\S-1-5-20\{RUN}\Evil", {("NETWORK_SERVICE", rf"{RUN}\Evil")}),
        (r"HKU\S-1-5-21-7_Classes\CLSID\{0}", {("CLASSES", r"CLSID\{0}")}),
        (r"HKLM\SOFTWARE\Evil\Corp", {("SOFTWARE", r"Evil\Corp")}),
        (r"HKLM\\SOFTWARE\\Evil\\Corp", {("SOFTWARE", r"Evil\Corp")}),
        (r"HKLM/SOFTWARE/Evil/Corp", {("SOFTWARE", r"Evil\Corp")}),
        (r"Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Evil", {("SOFTWARE", "Evil")}),
        (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Evil", {("SYSTEM", r"ControlSet001\Services\Evil")}),
        (r"SYSTEM\CurrentControlSet\Services\Evil", {("SYSTEM", r"CurrentControlSet\Services\Evil")}),
        (r"HKLM\SAM\Evil", {("SAM", "Evil")}),
        (r"HKLM\SECURITY\Evil", {("SECURITY", "Evil")}),
        (r"HKCC\Evil", {("SYSTEM", r"CurrentControlSet\Hardware Profiles\Current\Evil")}),
        (
            r"HKCR\evil",
            {("SOFTWARE", r"Classes\evil"), ("CLASSES", "evil"), *((hive, r"Software\Classes\evil") for hive in USERS)},
        ),
        (
            r"HKCU\Software\Classes\evil",
            {("CLASSES", "evil"), *((hive, r"Software\Classes\evil") for hive in USERS)},
        ),
        (r"Software\Evil\x", {("SOFTWARE", r"Evil\x"), *((hive, r"Software\Evil\x") for hive in USERS)}),
        (rf"HKLM\{RUN} /v Evil", {("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Run\Evil")}),
        (rf'"HKLM\{RUN}\Evil"', {("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Run\Evil")}),
        (r"HKLM\SOFTWARE\Evil\(Default)", {("SOFTWARE", "Evil\\")}),
        (r"HKLM\SOFTWARE\Evil\@", {("SOFTWARE", "Evil\\")}),
        (r"HKLM\SOFTWARE\<name>\Evil-[1]?", {("SOFTWARE", r"*\Evil-[[]1][?]")}),
        (r"HKLM\SOFTWARE\Classes\*\shell\Evil", {("SOFTWARE", r"Classes\[*]\shell\Evil")}),
    ],
)
def test_where_it_lies(text: str, places: set[tuple[str, str]]) -> None:
    """As reports, exports, shells and the kernel write it."""
    assert in_64_bits(text) == places


def test_where_32_bits_put_it() -> None:
    """Windows keeps what a program of 32 bits writes apart; who names that place means it alone."""
    found = {names for hive, names, _ in lies(r"HKLM\SOFTWARE\Classes\CLSID\{1}")}
    assert found == {r"Classes\CLSID\{1}", r"Wow6432Node\Classes\CLSID\{1}", r"Classes\Wow6432Node\CLSID\{1}"}
    assert (HiveKind.CLASSES.name, r"Wow6432Node\CLSID\{1}", "") in lies(r"HKCU\Software\Classes\CLSID\{1}")
    assert ("USER", r"Software\Wow6432Node\Evil\x", "") in lies(r"HKCU\Software\Evil\x")
    assert lies(r"HKLM\SOFTWARE\WOW6432Node\Evil") == {("SOFTWARE", r"WOW6432Node\Evil", "")}
    assert lies(r"HKLM\SYSTEM\CurrentControlSet\Services\Evil") == {("SYSTEM", r"CurrentControlSet\Services\Evil", "")}


@pytest.mark.parametrize("sign", ["|", " = ", " -> "])
def test_data(sign: str) -> None:
    """Data may follow the name, or stand alone for any value of a key that every Windows has."""
    found = lies(rf"HKLM\{RUN}\Evil{sign}C:\x.exe")
    assert ("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Run\Evil", r"C:\x.exe") in found
    found = lies(rf"HKLM\{RUN}{sign}C:\x.exe")
    assert ("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Run", r"C:\x.exe") in found
    assert ("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Run", "") not in found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no key"),
        ("Run", "names no key"),
        ("HKLM", "names no key"),
        ("HKLM\\SOFTWARE", "every Windows has"),
        ("HKU\\S-1-5-21-7", "names no key"),
        ("HKLM\\HARDWARE\\x", "names no key"),
        ("HKEY_PERFORMANCE_DATA\\x", "names no key"),
        ("Something\\Else", "names no key"),
        ("HKCU\\" + "a\\" * 65, "names no key"),
        (rf"HKCU\{RUN}", "every Windows has"),
        (r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Run", "every Windows has"),
        (r"HKCU\Software\Microsoft", "every Windows has"),
        (rf"HKCU\{RUN}\<random>", "too much"),
        (r"HKCU\Software\*", "too much"),
    ],
)
def test_what_is_not_sought(text: str, reason: str) -> None:
    """What lies on no disk, what every Windows has, what would fit everything: each says why."""
    with pytest.raises(NoSpot, match=reason):
        spots(text)


@given(st.text(max_size=60), st.sampled_from(["", "HKLM\\SOFTWARE\\", "HKCU\\", "HKU\\S-1-5-21-1\\", "HKCR\\"]))
def test_any_text_has_places_or_a_reason(text: str, before: str) -> None:
    """Each place has a name, once, in a hive whose file is known."""
    try:
        found = spots(before + text)
    except NoSpot as reason:
        assert str(reason)
        return
    assert len(set(found)) == len(found) > 0
    assert all(spot.names and FILES[spot.hive] for spot in found)


def test_one_text_of_key_name_and_data() -> None:
    """Written and taken apart again."""
    assert written("HKCU\\A\\", "B", "c|d") == "HKCU\\A\\B|c|d"
    assert with_data("HKCU\\A\\B|c|d") == ("HKCU\\A\\B", "c|d")
    assert written("HKCU\\A") == "HKCU\\A"
    assert Spot(HiveKind.USER, ("A", "B"), "c|d") in spots("HKCU\\A\\B|c|d")
