"""Words what is wrong with a numeral that nothing it may mean bears out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import CHANGES, FactKind
from curator.verify.known.fits import Fit
from curator.verify.known.quantities import STATES
from curator.verify.known.wording import of_quantities, shown
from curator.verify.reading.roles import Role
from curator.verify.reading.ties import BELIEVABLE
from curator.verify.report import FindingKind

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.rules.numbers.costs import Costs, Meaning
    from curator.verify.rules.numbers.statement import Statement

_MOST = 4
"""Known values that are told."""


class Objections:
    """What there is to say against one numeral."""

    def __init__(self, statement: Statement, costs: Costs) -> None:
        self._it, self._costs = statement, costs

    def against(self, cheapest: Meaning | None) -> tuple[FindingKind, str]:
        """The kind and the reason of the finding.

        Args:
            cheapest: the least far-fetched meaning; None if no fact has the value.
        """
        if cheapest is None:
            return self._unknown_value()
        said = of_quantities([cheapest.quantity], self._it.world)
        key = self._it.key
        if key is not None and cheapest.quantity.kind is not FactKind.CONFIG and not self._costs.names.surest:
            return FindingKind.NUMBER, f"{'/'.join(sorted(key))} is {self._known()}"
        if cheapest.role >= max(cheapest.runs, cheapest.names):
            return FindingKind.ROLE, f"{said}, and that is {self._what(cheapest.quantity)}"
        return FindingKind.ATTRIBUTION, f"{said}{self._instead()}"

    def _what(self, quantity: Quantity) -> str:
        if quantity.is_change:
            return "a difference, not a value"
        return "a value, not a difference" if self._it.role is Role.CHANGE else "of its history, not where it ended"

    def _unknown_value(self) -> tuple[FindingKind, str]:
        for quality, kind in ((Fit.TOO_COARSE, FindingKind.ROUNDING), (Fit.WRONG_UNIT, FindingKind.UNIT)):
            near = [q for q, how in self._it.fits if how is quality and self._is_spoken_of(q)]
            if near and not self._it.numeral.word and (self._it.numeral.unit or quality is Fit.TOO_COARSE):
                return kind, of_quantities(near[:1], self._it.world)
        return FindingKind.NUMBER, f"no fact has this value{self._instead()}"

    def _is_spoken_of(self, quantity: Quantity) -> bool:
        """Whether it may be meant, whatever the unit says."""
        if quantity.kind not in {*STATES, FactKind.DEVIATION, *CHANGES} and not quantity.unit:
            return False
        names = self._it.reader.metrics.of(self._it.i).cost(frozenset({quantity.name}))
        return self._costs.of(quantity).runs + names <= BELIEVABLE

    def _instead(self) -> str:
        known = self._known()
        if not known:
            return ""
        names = "/".join(sorted(self._costs.names.surest)) or "what the sentence says"
        runs = ", ".join(sorted(self._it.owners.surest)[:3])
        return f"; {names}{f' of {runs}' if runs else ''} is {known}"

    def _known(self) -> str:
        """What the facts say instead."""
        it = self._it
        names, runs = self._costs.names.surest or it.key or frozenset(), it.owners.surest
        kinds = CHANGES if it.role is Role.CHANGE else {*STATES, FactKind.CONFIG}
        said = [q for q in it.world.quantities if q.name in names and q.kind in kinds and not q.extreme]
        said = [q for q in said if not runs or q.runs <= runs]
        return ", ".join(dict.fromkeys(shown(q, it.world) for q in said[:_MOST]))
