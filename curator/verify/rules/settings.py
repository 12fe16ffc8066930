"""Judges settings that are written as such: ``LR-003 (learning_rate=0.1)``, ``MemoryError with bits=4, method=awq``."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from curator.verify.known.settings import is_on, is_switch
from curator.verify.known.stated import runs_as_stated
from curator.verify.reading.holders import holders
from curator.verify.reading.keys import JOINTS
from curator.verify.reading.switches import OFF, ON, switched
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.vocabulary import Vocabulary
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_PAIR = re.compile(r"(?P<key>[A-Za-z_][\w./]*)=(?P<value>[^\s,=]+)")
_PAIRS = re.compile(rf"{_PAIR.pattern}(?:, {_PAIR.pattern})*".replace("?P<key>", "").replace("?P<value>", ""))
_SETTING = forms("run train start launch use set try have")
_USING = forms("use adopt employ try") | {"with"}
_ERROR = re.compile(r"\w+(?:Error|Exception)")

type Setting = tuple[str, str, int]
"""A key, its value, and the position of the token that says it."""


class Settings:
    """The rule for settings: of the runs they stand behind, of one run together, of the run that failed so."""

    def __init__(self, world: World, vocabulary: Vocabulary) -> None:
        self._world, self._vocabulary = world, vocabulary

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        if s.context.hypothetical:
            return
        for first, settings in self._groups(s):
            why = self._of_run(reader, s, first, settings) or self._together(settings)
            self._object(s, settings[-1][2], why or self._of_error(s, first, settings), found)
        for i, token in enumerate(s.tokens):
            if token.described and not s.negated(i) and (right := self._called_by_setting(s, i)):
                self._object(s, i, _is_other(holders(reader, s, i), right, token.text), found)
            if (keys := self._switches(s, i)) and (on := switched(s, i)) is not None:
                self._check_switch(s, i, keys, holders(reader, s, i), found, on=on)
        cell = s.context.cell and len(s.tokens) == 1 and s.word(0) in ON | OFF
        if cell and (keys := frozenset(key for key in s.context.keys if is_switch(self._world, key))):
            self._check_switch(s, 0, keys, [s.context.topics], found, on=s.word(0) in ON)

    def _check_switch(
        self, s: Sentence, i: int, keys: frozenset[str], told: list[frozenset[str]], found: Collector, *, on: bool
    ) -> None:
        lit = frozenset(run for run in self._world.runs for key in keys if is_on(self._world, key, run))
        right = lit if on else self._world.all_runs - lit
        self._object(s, i, _is_other(told, right, f"{s.tokens[i].text} {'on' if on else 'off'}"), found)

    @staticmethod
    def _object(s: Sentence, i: int, why: str, found: Collector) -> None:
        token = s.tokens[i]
        if why and not s.hedged(i) and not any(issue.start == token.start for issue in found.issues):
            found.object_to(FindingKind.ATTRIBUTION, token, why)

    def _switches(self, s: Sentence, i: int) -> frozenset[str]:
        """The settings that are on or off and that the word at ``i`` may mean."""
        token = s.tokens[i]
        if token.keys:
            return frozenset(key for key in token.keys if is_switch(self._world, key))
        return self._vocabulary.switches(token.text) if token.described else frozenset()

    def _groups(self, s: Sentence) -> Iterator[tuple[int, list[Setting]]]:
        """Settings that stand in a row, and where the first stands."""
        i = 0
        while i < len(s.tokens):
            first, group = i, list[Setting]()
            while (more := self._at(s, i)) and not {key for key, *_ in more} & {key for key, *_ in group}:
                group += more
                i = more[-1][2] + 1
                if s.word(i) not in {",", "and"} or not self._at(s, i + 1):
                    break
                i += 1
            if group:
                yield first, group
            i = max(i, first + 1)

    def _at(self, s: Sentence, i: int) -> list[Setting]:
        if i + 2 < len(s.tokens) and s.word(i + 1) == "=" and s.tokens[i].text in self._world.configs:
            return [(s.tokens[i].text, s.tokens[i + 2].text, i + 2)]
        if i >= len(s.tokens) or s.kind(i) is not TokenKind.CODE or not _PAIRS.fullmatch(s.tokens[i].text):
            return []
        pairs = [(pair["key"], pair["value"], i) for pair in _PAIR.finditer(s.tokens[i].text)]
        return pairs if all(key in self._world.configs for key, *_ in pairs) else []

    def _of_run(self, reader: Reader, s: Sentence, first: int, settings: list[Setting]) -> str:
        noted = s.word(first - 1) == "(" and s.kind(first - 2) is TokenKind.RUN
        told = [s.tokens[first - 2].runs] if noted else holders(reader, s, first)
        if s.negated(first):
            verb = s.word(s.skip(first - 1, frozenset({"with", "at", "using", ""}), -1))
            alone = s.word(settings[-1][2] + 1) in {"alone", "only"}
            return self._denied(told, settings) if verb in _SETTING and not alone else ""
        # "LR-001 and LR-002 used lr=0.1 and lr=0.2": each of them one.
        each = [told, [frozenset({run}) for runs in told for run in runs]]
        why = (self._against(key, each[_is_one_of_several(s, key)], self._with(key, v)) for key, v, _ in settings)
        return next(filter(None, why), "")

    def _denied(self, told: list[frozenset[str]], settings: list[Setting]) -> str:
        """``LR-003 was not run with lr=0.1``, where it was."""
        if len(told) != 1 or len(settings) != 1:
            return ""
        ((key, value, _),) = settings
        held = told[0] and told[0] <= self._with(key, value)
        return f"{key} of {min(told[0])} is {self._world.configs[key][min(told[0])].value}" if held else ""

    def _against(self, key: str, told: list[frozenset[str]], right: frozenset[str]) -> str:
        """What speaks against a setting that is said of some runs, or of one of several choices of them."""
        known = [runs & self._world.configs[key].keys() for runs in told]
        if not known or not all(known) or any(runs <= right for runs in known):
            return ""
        run = min(known[0] - right)
        return f"{key} of {run} is {self._world.configs[key][run].value}"

    def _called_by_setting(self, s: Sentence, i: int) -> frozenset[str]:
        """The runs with the setting that the name at ``i`` is: ``seed 2``, ``zstd``."""
        valued = s.word(i) in self._vocabulary.config_words and s.word(i - 1) in _USING
        return s.runs(i) if valued else runs_as_stated(s.word(i), self._vocabulary.configs, self._world)

    def _together(self, settings: list[Setting]) -> str:
        return "" if len(settings) < 2 or self._runs(settings) else "no run has these settings together"

    def _of_error(self, s: Sentence, first: int, settings: list[Setting]) -> str:
        name = s.tokens[first - 2].text if s.word(first - 1) == "with" and first > 1 else ""
        if not _ERROR.fullmatch(name):
            return ""
        failed = {fact.subject for fact, text in self._world.strings if text.startswith(f"{name}:") and fact.subject}
        others = failed and not failed & self._runs(settings)
        return f"{name} is how {', '.join(sorted(failed))} failed" if others else ""

    def _runs(self, settings: list[Setting]) -> frozenset[str]:
        """The runs that have all of them."""
        return reduce(frozenset.intersection, (self._with(key, value) for key, value, _ in settings))

    def _with(self, key: str, value: str) -> frozenset[str]:
        if value.lower() in {"true", "false"}:
            return self._world.runs_with(key, value.lower() == "true") | self._world.runs_with(key, value)
        try:
            return self._world.runs_with(key, value) | self._world.runs_with(key, float(value))
        except ValueError:
            return self._world.runs_with(key, value)


def _is_one_of_several(s: Sentence, key: str) -> bool:
    """Whether a sentence tells several values of a setting: ``lr=0.1 and lr=0.2``, ``lr=0.1 and 0.2``."""
    places = [j for j, token in enumerate(s.tokens) if key in token.keys or token.text.startswith(f"{key}=")]
    return len(places) > 1 or any(s.word(j + 3) in JOINTS and s.numeral(j + 4) is not None for j in places)


def _is_other(told: list[frozenset[str]], right: frozenset[str], text: str) -> str:
    """``With seed 2, LR-003 ...``, where that is another run."""
    return (
        ""
        if not all(told) or not told or any(runs <= right for runs in told)
        else f"{text} is {', '.join(sorted(right)[:3])}"
    )
