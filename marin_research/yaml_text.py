"""YAML for people to read and edit. Knows nothing of what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

_UNICODE_LINE_ENDS = frozenset("\x85\u2028\u2029")


def dump_yaml(values: dict[str, Any]) -> str:
    """A JSON tree as YAML, keys in their order, long lines broken, texts as they are wherever they need no escape."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Escapes the line ends of Unicode, which are otherwise read back as blanks."""

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, _style(dumper, text))

    Dumper.add_representer(str, represent)
    plain = json.loads(json.dumps(values))  # no object of ours, and no anchor for what stands in it twice
    return yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def _style(dumper: yaml.SafeDumper, text: str) -> str | None:
    if _UNICODE_LINE_ENDS.intersection(text):
        return '"'
    if "\n" in text:
        return "|"
    # Single quotes would double each apostrophe of it.
    return ">" if "'" in text and not dumper.analyze_scalar(text).allow_block_plain else None
