"""GitHub's own description of its API, from its npm package: fetched once, cut to what the client uses, and mended.

The whole description takes a minute to load. Three things in it keep validators from validating: ``nullable`` beside a
``oneOf`` without a ``type``, which they refuse or pass over; enumerations that may be null and do not list it; and the
media type that GitHub prefers and does not list.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

PACKAGE = "@octokit/openapi@23.0.2"
_MEMBER = "package/generated/api.github.com.json"
_OPERATIONS = {
    "/repos/{owner}/{repo}/issues": {"get", "post"},
    "/repos/{owner}/{repo}/issues/{issue_number}": {"get", "patch"},
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": {"get", "post"},
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": {"get", "patch", "delete"},
    "/search/issues": {"get"},
}
_MEDIA_TYPE = "application/vnd.github+json"
_HOME = os.environ.get("HOME", "")
"""Before any test changes it: npm finds its settings and its cache there."""


class NoNpmError(Exception):
    """There is no npm to fetch the description with."""


def description(cache: Path) -> dict[str, Any]:
    """The cut description; fetched on first use and kept in ``cache``.

    Raises:
        NoNpmError: it was never fetched and there is no npm.
    """
    kept = cache / f"{PACKAGE.replace('/', '-')}.json"
    if not kept.exists():
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(mended(cut(_fetch(cache), _OPERATIONS))), encoding="utf-8")
        part.replace(kept)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def cut(whole: dict[str, Any], operations: dict[str, set[str]]) -> dict[str, Any]:
    """The description of some operations alone, with every component they refer to, directly or not."""
    paths = {path: _only(whole["paths"][path], methods) for path, methods in operations.items()}
    components: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [paths]
    while waiting:
        for reference in _references(waiting.pop()):
            kind, name = reference.removeprefix("#/components/").split("/")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = whole["components"][kind][name]
                waiting.append(components[kind][name])
    return {**{key: whole[key] for key in ("openapi", "info", "servers")}, "paths": paths, "components": components}


def mended(part: Any) -> Any:
    """The same without what keeps validators from validating."""
    if isinstance(part, list):
        return [mended(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: mended(value) for key, value in part.items()}
    if made.get("nullable") is True and "type" not in made:
        del made["nullable"]
        made["anyOf"] = [*[{key: made.pop(key)} for key in ("oneOf", "anyOf", "allOf", "$ref") if key in made], _NULL]
    if made.get("nullable") is True and isinstance(made.get("enum"), list):
        made["enum"] = [*made["enum"], None]
    content = made.get("content")
    if isinstance(content, dict) and "application/json" in content:
        content.setdefault(_MEDIA_TYPE, content["application/json"])
    return made


_NULL = {"nullable": True, "type": "string", "enum": [None]}


def _only(path: dict[str, Any], methods: set[str]) -> dict[str, Any]:
    return {key: value for key, value in path.items() if key in methods or key == "parameters"}


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [reference for each in part for reference in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [reference for value in part.values() for reference in _references(value)]


def _fetch(folder: Path) -> dict[str, Any]:
    npm = shutil.which("npm")
    if npm is None:
        raise NoNpmError
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=280, env={**os.environ, "HOME": _HOME}
    )
    archive = folder / Path(done.stdout.strip().splitlines()[-1]).name
    with tarfile.open(archive) as packed:
        member = packed.extractfile(_MEMBER)
        assert member is not None
        whole: dict[str, Any] = json.load(member)
    archive.unlink()
    return whole
