"""English verbs with their inflections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IRREGULAR = {
    "rise": "rose risen rising",
    "fall": "fell fallen falling",
    "grow": "grew grown growing",
    "shrink": "shrank shrunk shrinking",
    "sink": "sank sunk sinking",
    "cut": "cut cutting",
    "trim": "trimmed trimming",
    "skip": "skipped skipping",
    "omit": "omitted omitting",
    "drop": "dropped dropping",
    "hurt": "hurt hurting",
    "cost": "cost costing",
    "lose": "lost losing",
    "win": "won winning",
    "beat": "beat beaten beating",
    "lead": "led leading",
    "outdo": "outdid outdone outdoing",
    "lag": "lagged lagging",
    "speed": "sped speeding",
    "regress": "regressed regressing",
    "undercut": "undercut undercutting",
    "top": "topped topping",
    "give": "gave given giving",
    "run": "ran running",
    "set": "set setting",
    "leave": "left leaving",
    "do": "did done doing",
    "come": "came coming",
    "go": "went gone going",
    "get": "got gotten getting",
    "take": "took taken taking",
    "stand": "stood standing",
    "hit": "hit hitting",
    "begin": "began begun beginning",
    "blow": "blew blown blowing",
    "break": "broke broken breaking",
    "stop": "stopped stopping",
    "make": "made making",
    "see": "saw seen seeing",
    "fit": "fit fitted fitting",
    "tie": "tied tying",
    "die": "died dying",
    "dip": "dipped dipping",
    "stay": "stayed staying",
    "sit": "sat sitting",
    "hold": "held holding",
    "keep": "kept keeping",
    "bring": "brought bringing",
    "pay": "paid paying",
    "buy": "bought buying",
    "say": "said saying",
    "throw": "threw thrown throwing",
    "end": "ended ending",
    "shave": "shaved shaving",
    "let": "let letting",
    "read": "read reading",
    "wear": "wore worn wearing",
    "find": "found finding",
    "need": "needed needing",
    "land": "landed landing",
    "oom": "oomed oom'd ooming",
    "finish": "finished finishing",
    "cancel": "cancelled canceled cancelling canceling",
    "slip": "slipped slipping",
    "creep": "crept creeping",
    "overtake": "overtook overtaken overtaking",
}


def forms(verbs: str) -> frozenset[str]:
    """Verbs with their inflections: ``lower`` gives lower, lowers, lowered, lowering."""
    return frozenset(form for verb in verbs.split() for form in _forms(verb))


def _forms(verb: str) -> Iterable[str]:
    yield verb
    yield f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z", "go", "do")) else _y(verb, "ies") or f"{verb}s"
    if verb in _IRREGULAR:
        yield from _IRREGULAR[verb].split()
        return
    stem = verb.removesuffix("e")
    yield _y(verb, "ied") or f"{stem}ed"
    yield f"{stem}ing"


def _y(verb: str, ending: str) -> str:
    return verb[:-1] + ending if verb.endswith("y") and verb[-2] not in "aeiou" else ""
