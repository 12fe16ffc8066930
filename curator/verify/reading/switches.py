"""Switches: settings that are on or off, ``turns qk_norm on``, ``without balancing``. Never looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

ON = words.word_set("on enabled true active activated yes \u2713 \u2714")
OFF = words.word_set("off disabled false inactive deactivated no \u2717 \u2718")
_AFTER_ON = words.ENDINGS | words.word_set("in for only and here again")
_TO_STATE = (
    words.ARTICLES | words.BE | words.word_set("= : set to turned switched left kept stays stayed has been") | {""}
)
_USING = forms("use enable add activate adopt employ apply") | words.word_set("with has had plus on")
_LACKING = forms("lack disable omit skip drop remove deactivate") | words.word_set("without no off")
_OF_SWITCH = words.ARTICLES | {""}
_NOUNS = words.RUN_NOUNS | words.word_set("flag switch option")


def switched(s: Sentence, i: int) -> bool | None:
    """Whether the switch that is named at ``i`` is said to be on or off; None where it is only spoken of."""
    after = s.skip(i + 1, _TO_STATE)
    if s.word(after) in ON | OFF and not (s.word(after) == "on" and s.word(after + 1) not in _AFTER_ON):
        return (s.word(after) in ON) is not s.negated(i)
    before = s.skip(i - 1, _OF_SWITCH, -1)
    if s.word(i + 1) in _NOUNS or s.word(i + 1) == "=":
        return True if s.word(before) in words.BE and s.word(i + 2) in words.ENDINGS else None  # "is the int8 run"
    if s.word(before) in _LACKING:
        return s.negated(before)
    return not s.negated(before) if s.word(before) in _USING else None
