"""Finds a skill's thread on SkillEvolve, so that a post names it as the site does. Reads only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.skillevolve.categories import names_of
from curator.skillevolve.errors import CredentialsError, SkillEvolveError
from curator.skillevolve.opening import open_reader
from curator.skillevolve.skills import SkillRef, local_skill
from marin_research.codec import Unknown

if TYPE_CHECKING:
    from curator.skillevolve.answers import Skill
    from curator.skillevolve.reading import Reader

_PATIENCE_S = 5.0


def looked_up(skill: SkillRef) -> SkillRef:
    """The skill with its slug, and what else the site says of it; as it was where the site cannot be asked."""
    try:
        with open_reader(timeout_s=_PATIENCE_S, tries=1) as reader:
            found = find_skill(skill.name, skill.author, reader)
    except (SkillEvolveError, CredentialsError) as error:
        return replace(skill, slug=Unknown(f"it could not be looked up: {error}"))
    if found is None:
        return replace(skill, slug=Unknown("SkillEvolve has no skill of that name; upload it first"))
    return replace(
        skill,
        name=found.name or skill.name,
        slug=found.slug,
        author=found.author or skill.author,
        version=skill.version or found.version,
        source_repo=skill.source_repo or found.source_repo,
        source_path=skill.source_path or found.source_path,
    )


def skill_called(name: str) -> SkillRef:
    """The skill that a person named, with what is known of it here and there."""
    known = local_skill(name) or SkillRef(name=name, slug=Unknown("it was not looked up"), why="a person named it")
    return looked_up(known)


def find_skill(name: str, author: str, reader: Reader) -> Skill | None:
    """The skill of that name or slug, or of another name that the library has for it."""
    for wanted in dict.fromkeys((name, *sorted(names_of(name)))):
        known = [skill for skill in reader.skills(name=wanted) if _is(skill, wanted)]
        known = known or [skill for skill in reader.skills(slug=wanted) if skill.slug == wanted]
        if known:
            return next((skill for skill in known if skill.author == author), known[0])
    return None


def _is(skill: Skill, name: str) -> bool:
    return bool(skill.slug) and skill.name.lower() == name.lower()
