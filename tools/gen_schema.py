"""Write the JSON schema of reports from the types that make them: ``--check`` only compares (for CI)."""

import json
import sys
from pathlib import Path

import msgspec

from lazaretto.app.report import SCHEMA, Report

TARGET = Path(__file__).parent.parent / "src" / "lazaretto" / "data" / "report.schema.json"


def schema() -> str:
    """Return the schema as text."""
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


def main() -> int:
    """Write or compare; return 1 if the committed schema is not the generated one."""
    text = schema()
    if "--check" in sys.argv[1:]:
        if not TARGET.is_file() or TARGET.read_text("utf-8") != text:
            sys.stderr.write(f"{TARGET} is out of date: run `make docs`\n")
            return 1
        return 0
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
