"""How often the verifier cries wolf, and what it misses, over texts in natural English about four threads."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from curator.verify import verify

if TYPE_CHECKING:
    from curator.facts import Fact

HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    """A module beside this one; pytest's importlib mode puts no folder of tests on the path."""
    spec = importlib.util.spec_from_file_location(f"evaluation_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


planting, threads = _load("planting"), _load("threads")


def _texts() -> list[tuple[str, tuple[Fact, ...]]]:
    facts: dict[str, tuple[Fact, ...]] = {}
    texts = []
    for block in re.split(r"(?m)^@@ ", (HERE / "correct.txt").read_text(encoding="utf-8"))[1:]:
        name, _, text = block.partition("\n")
        texts.append((text.rstrip("\n"), facts.setdefault(name.strip(), getattr(threads, name.strip())())))
    return texts


TEXTS = _texts()


def test_fewer_than_two_in_a_hundred_right_texts_raise_a_finding():
    """Whoever is warned without need stops reading warnings."""
    wrong = [text for text, facts in TEXTS if not verify(text, facts).ok]

    assert len(TEXTS) >= 150
    assert len(wrong) < 0.02 * len(TEXTS), wrong


@pytest.mark.parametrize(("kind", "share"), [("wrong digit", 0.98), ("wrong unit", 0.97), ("invented link", 1.0)])
def test_planted_errors_of_one_kind_are_found(kind, share):
    """Kinds of which every planted case makes the text wrong; of the others some leave it right, by accident."""
    outcomes = Counter(
        verify(planted, facts).ok
        for text, facts in TEXTS
        for planted, _, _ in planting.PLANTERS[kind](text, verify(text, facts), facts)
    )

    assert outcomes[False] >= share * outcomes.total(), outcomes
