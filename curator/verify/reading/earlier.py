"""What the sentences before one say of who it is about. Reads word order; never looks at a value."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence


class Earlier:
    """The runs named in the sentences before one of the same block."""

    def __init__(self, s: Sentence | None, runs: list[Mention], earlier: Earlier | None) -> None:
        """``runs`` are those that the sentence before names, ``earlier`` what stands before that one."""
        self._s, self.last, self._earlier = s, runs, earlier

    def runs(self) -> Iterator[Mention]:
        """The runs of the last sentences back to one that speaks of a run."""
        yield from self.last
        if self._earlier is not None and all(m.reference for m in self.last):
            yield from self._earlier.runs()

    def further(self) -> Iterator[Mention]:
        """The runs of the sentences before the last one."""
        return self._earlier.runs() if self._earlier is not None else iter(())

    def presented(self) -> Mention | None:
        """The one run that the last sentence presents: ``LR-003 is done.`` or ``LR-003, a larger rate.``."""
        tokens = self._s.tokens if self._s is not None else ()
        named = [m for m in self.last if tokens[m.first].kind is TokenKind.RUN and not tokens[m.first].described]
        alone = len(named) == 1 and len(named[0].meant) == 1 and not tokens[named[0].first].depth
        return named[0] if alone and not named[0].reference else None

    def pair(self) -> list[Mention]:
        """The runs that the last sentence sets side by side: ``LR-002 took 72 min, LR-003 73. Same time``."""
        apart = all(not a.meant & b.meant for a, b in itertools.combinations(self.last, 2))
        return self.last if len(self.last) > 1 and apart else []
