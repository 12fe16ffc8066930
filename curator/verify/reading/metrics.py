"""Of which metrics a numeral or a word in a sentence may be said.

Never looks at a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.world import QUALIFIERS
from curator.verify.reading.mentions import metrics_named
from curator.verify.reading.phrasing import goes_on
from curator.verify.reading.ties import FAR, PASSED, TAKEN, UNKNOWN, Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.reading.lists import Lists
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_LINKING = words.LINKS | words.APPROXIMATE | frozenset("'(:=\"-\u2013,") | {"'s", "now"}


class Metrics:
    """The metrics of one sentence."""

    def __init__(self, s: Sentence, lists: Lists, before: Metrics | None) -> None:
        self._s, self._lists, self._before = s, lists, before
        self.named = metrics_named(s)
        """In order."""

    def of(self, i: int, *, ahead: bool = True) -> Ties:
        """The metrics that what stands at ``i`` may be said of; without those that only come later if not ``ahead``."""
        s = self._s
        if s.context.cell and s.context.names:
            return Ties([Tie(s.context.names)])
        behind = self.behind(i)
        sure = [Tie(s.names(behind))] if behind is not None else self._lists.placed_metric(i, self.named)
        left, cost = list[Tie](), PASSED if sure else 0.0
        for m in sorted((m for m in self.named if m.last < i and not self._is_place(m, i)), key=lambda m: -m.last)[:6]:
            own = TAKEN if m.taken and i not in m.taken else 0.0
            left.append(Tie(m.meant, cost + own))
            cost += 0.5 if own else 1.0
        low, high = s.clause(i)
        apart = bool(left) and not sure and not any(low <= m.first < high for m in self.named)
        later = [m for m in self.named if m.first > i and ahead and not self._ends_between(i, m.first)]
        ties = sure + left + [Tie(m.meant, PASSED if left or behind is not None else 0.5) for m in later]
        if s.kind(i - 1) is TokenKind.IDENTIFIER and not s.runs(i - 1) and not sure:
            apart, low = True, i  # "ARC-E +3.5"
        if ties:
            return Ties(ties, UNKNOWN if apart and not goes_on(s, low, i) else FAR if sure or left else 1.0)
        return Ties([Tie(m.meant) for m in self._named_before()], 1.0)

    def _is_place(self, m: Mention, i: int) -> bool:
        """``At epsilon 2.03 we are down to``: a value by which a run is told, and not what is said of it."""
        return bool(self._s.runs(m.last + 1)) and self._s.word(m.first - 1) == "at" and i != m.last + 1

    def _ends_between(self, i: int, j: int) -> bool:
        return any(self._s.word(k) == ";" for k in range(i, j))

    def _named_before(self) -> list[Mention]:
        """The metrics of the last sentence that names any."""
        earlier = self._before
        while earlier and not earlier.named:
            earlier = earlier._before  # noqa: SLF001 - of its own kind
        return earlier.named if earlier else []

    def behind(self, i: int) -> int | None:
        """``47.1 % MFU``, ``3.9 % lower loss``, ``0.4 points of MMLU``, ``38.9 on GSM8K``."""
        s = self._s
        j = s.skip(i + 1, words.DIFFERENCES | words.ADJECTIVES.keys() | {"relative", "absolute"})
        linked = s.word(j) in {"of", "in", "on", "for"}
        j = s.skip(j + linked, words.ARTICLES if linked else words.ARTICLES - {"a", "an"})
        if linked and s.runs(j) and s.word(j + 1) in {"'s", "'"}:
            j += 2
        hyphened = s.word(j + 1) == "-" and s.kind(j + 2) is TokenKind.METRIC
        if hyphened or s.word(j) in QUALIFIERS:
            j = s.skip(j + 1, frozenset("-"))  # "0.38 on test-other"
        if s.kind(j) is not TokenKind.METRIC or s.word(j) == "'s":
            return None
        value = s.skip(j + 1, _LINKING - {"and", "or", ",", "(", ""})
        owns = s.kind(value) is TokenKind.NUMBER and value > j + 1
        return None if owns and not linked else j
