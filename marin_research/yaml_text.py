"""YAML for people to read and edit. Knows nothing of what it says."""

from __future__ import annotations

import json
from typing import Any

_UNICODE_LINE_ENDS = frozenset("\x85\u2028\u2029")


def dump_yaml(values: dict[str, Any]) -> str:
    """A JSON tree as YAML, keys in their order, long lines broken."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Escapes the line ends of Unicode, which are otherwise read back as blanks."""

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = '"' if _UNICODE_LINE_ENDS.intersection(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)

    Dumper.add_representer(str, represent)
    plain = json.loads(json.dumps(values))  # no object of ours, and no anchor for what stands in it twice
    return yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
