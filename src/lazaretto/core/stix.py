"""The words of STIX 2.1 that reading and writing share: markings, degrees of confidence, our own extension.

Identifiers are those of the standards: the markings of TLP 2.0 are told by OASIS as an extension of STIX 2.1, those
of TLP 1.0 stand in STIX 2.1 itself (7.2.1.4). A degree of confidence is a number, by the scale *None / Low / Med /
High* of STIX 2.1, appendix A.
"""

from lazaretto.core.intel import Confidence, IndicatorKind, Tlp

EXTENSION = "extension-definition--99edf8c9-ed0e-5dd5-a54a-6e7001f3d2b8"
"""Our own extension: use, kind, value, campaign and sources of an indicator, which STIX has no properties for."""

TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
TLP_MARKINGS = {
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
OLD_MARKINGS = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}

PATHS = {
    "domain-name:value": IndicatorKind.DOMAIN,
    "url:value": IndicatorKind.URL,
    "ipv4-addr:value": IndicatorKind.IPV4,
    "ipv6-addr:value": IndicatorKind.IPV6,
    "email-addr:value": IndicatorKind.EMAIL,
    "user-account:account_login": IndicatorKind.ACCOUNT,
    "file:hashes.SHA-512": IndicatorKind.SHA512,
    "file:hashes.SHA-256": IndicatorKind.SHA256,
    "file:hashes.SHA-1": IndicatorKind.SHA1,
    "file:hashes.MD5": IndicatorKind.MD5,
    "file:name": IndicatorKind.FILE_PATH,
    "windows-registry-key:key": IndicatorKind.REGISTRY_VALUE,
    "process:command_line": IndicatorKind.PROCESS,
    "mutex:name": IndicatorKind.MUTEX,
    "network-traffic:dst_port": IndicatorKind.PORT,
    "network-traffic:extensions.http-request-ext.request_value": IndicatorKind.URI_PATH,
    "network-traffic:extensions.http-request-ext.request_header.User-Agent": IndicatorKind.USER_AGENT,
}
"""The property that a pattern compares for each kind. A package is compared by three (see ``feeds.stix``)."""

DEGREES = {Confidence.HIGH: 85, Confidence.MEDIUM: 50, Confidence.LOW: 15}


def confidence_of(degree: object) -> Confidence:
    """Return what a degree of confidence means; one that is missing or 0 says nothing."""
    if not isinstance(degree, int) or isinstance(degree, bool) or not 0 < degree <= 100:
        return Confidence.UNKNOWN
    if degree >= 70:
        return Confidence.HIGH
    return Confidence.MEDIUM if degree >= 30 else Confidence.LOW
