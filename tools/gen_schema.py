"""Write the JSON schemas of what is printed from the types that make it: ``--check`` only compares (for CI)."""

import json
import sys
from pathlib import Path

import msgspec

from lazaretto.app.graph import ask as asking
from lazaretto.app.graph import choke
from lazaretto.app.inventory import report as exposure
from lazaretto.app.report import SCHEMA, Report
from lazaretto.app.respond import incident, response
from lazaretto.core import host, posture

DATA = Path(__file__).parent.parent / "src" / "lazaretto" / "data"


def schema() -> str:
    """Return the schema of reports as text."""
    (inner,), components = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    report = components[str(inner["$ref"]).rpartition("/")[2]]
    report["properties"] = {
        "verdict": {"enum": ["allow", "hold", "block"], "description": "The worst verdict of all updates."},
        "complete": {"type": "boolean", "description": "Whether everything that was asked could be checked."},
        **report["properties"],
    }
    report["required"] = ["verdict", "complete", *report["required"]]
    components["UpdateReport"]["properties"]["verdict"] = {"enum": ["allow", "hold", "block"]}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Lazaretto report, schema {SCHEMA}",
        **inner,
        "$defs": components,
    }
    return json.dumps(document, indent=2) + "\n"


def posture_schema() -> str:
    """Return the schema of what the doctor says as text."""
    (inner,), components = msgspec.json.schema_components([posture.Posture], ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Lazaretto posture, schema {posture.SCHEMA}",
        **inner,
        "$defs": components,
    }
    return json.dumps(document, indent=2) + "\n"


def exposure_schema() -> str:
    """Return the schema of who is exposed as text."""
    (inner,), components = msgspec.json.schema_components([exposure.ExposureReport], ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Lazaretto exposure, schema {exposure.SCHEMA}",
        **inner,
        "$defs": components,
    }
    return json.dumps(document, indent=2) + "\n"


def schema_of(kind: type[msgspec.Struct], title: str) -> str:
    """Return the schema of a type as text."""
    (inner,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **inner,
        "$defs": components,
    }
    return json.dumps(document, indent=2) + "\n"


def graph_schema() -> str:
    """Return the schema of who depends on what, and of choke points, as text."""
    kinds = [asking.Dependents, choke.Chokepoints]
    found, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Lazaretto graph, schema {asking.SCHEMA}",
        "anyOf": list(found),
        "$defs": components,
    }
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    """Write or compare; return 1 if a committed schema is not the generated one."""
    code = 0
    made = {"report": schema(), "doctor": posture_schema(), "exposed": exposure_schema(), "graph": graph_schema()}
    made["hostcheck"] = schema_of(host.HostReport, f"Lazaretto sweep of a host, schema {host.SCHEMA}")
    made["incident"] = schema_of(incident.Incident, f"Lazaretto incident, schema {incident.SCHEMA}")
    made["response"] = schema_of(response.Response, f"Lazaretto response, schema {response.SCHEMA}")
    for name, text in ((f"{word}.schema.json", text) for word, text in made.items()):
        target = DATA / name
        if "--check" not in sys.argv[1:]:
            target.write_text(text, "utf-8")
        elif not target.is_file() or target.read_text("utf-8") != text:
            sys.stderr.write(f"{target} is out of date: run `make docs`\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
