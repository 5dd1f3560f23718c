"""Lint a Helm chart and look at what it renders to: ``python tools/check_chart.py CHART``, without a cluster.

Helm is a library in a wheel, the schemas of Kubernetes are in another (``requirements/deploy.txt``): this runs in the
environment of those. Each set of values that people have is rendered, and judged strictly by the oldest and the newest
version of Kubernetes that the schemas are of; what must be refused is, with words that say what to do.
"""

import sys

import helm_python as helm  # type: ignore[import-not-found, unused-ignore]
import kubernetes_validate  # type: ignore[import-not-found, unused-ignore]
import yaml  # type: ignore[import-untyped, unused-ignore]

IMAGE: dict[str, object] = {"image": f"registry.example.invalid/lazaretto@sha256:{'0' * 64}"}
SHARED: dict[str, object] = {
    **IMAGE,
    "replicas": 3,
    "settings": '[state]\njournal = "postgresql://lazaretto@db.example.invalid/lazaretto"\n',
    "environmentFrom": "tokens",
    "secretFiles": "password",
    "allowedFrom": [{"namespaceSelector": {"matchLabels": {"team": "ci"}}}],
    "imagePullSecrets": [{"name": "pull"}],
    "state": {"storageClass": "fast"},
    "tolerations": [{"key": "ci", "operator": "Exists"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "annotations": {"team": "ci"},
}
GOOD = {"one firewall": IMAGE, "several": SHARED}
BAD: dict[str, tuple[dict[str, object], str]] = {
    "no image": ({}, "image: name the image"),
    "several without a shared ledger": ({**IMAGE, "replicas": 2}, "name journal in [state]"),
    "a value that nobody knows": ({**IMAGE, "replica": 2}, "replica"),
}
ERROR = 3
"""How Helm calls what is wrong; an icon that is missing is less."""


def main(chart: str) -> int:
    """Print what is wrong; return 1 if anything is."""
    wrong = [f"{name}: {told}" for name, values in GOOD.items() for told in problems(chart, values)]
    wrong += [f"{name}: rendered, or refused by other words" for name in BAD if not refused(chart, *BAD[name])]
    print("\n".join(wrong), end="\n" if wrong else "")
    return int(bool(wrong))


def problems(chart: str, values: dict[str, object]) -> list[str]:
    """Return what Helm and the schemas find."""
    linted = helm.lint(chart, values, strict=True, quiet=True)
    found = [f"{one['path']}: {one['error']}" for one in linted["messages"] if one["severity"] >= ERROR]
    with helm.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        rendered = loaded.render(values, name="gate", namespace="tools")
    versions = kubernetes_validate.utils.all_versions()
    for path, text in rendered.items():
        for manifest in yaml.safe_load_all(text) if path.endswith(".yaml") else ():
            for version in (versions[0], versions[-1]) if manifest else ():
                try:
                    kubernetes_validate.validate(manifest, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    found.append(f"{path} for Kubernetes {version}: {error.message}")
    return found


def refused(chart: str, values: dict[str, object], words: str) -> bool:
    """Whether values are refused with these words."""
    try:
        with helm.Chart.load(chart) as loaded:
            loaded.validate_schema(values)
            loaded.render(values, name="gate", namespace="tools")
    except helm.HelmError as error:
        return words in str(error)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
