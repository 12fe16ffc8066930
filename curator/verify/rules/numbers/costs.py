"""What speaks against a numeral meaning some quantity: the runs, the metric or key, and the role it is said in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import CHANGES, FactKind
from curator.verify.known.quantities import number_of
from curator.verify.reading.ellipsis import shared_from
from curator.verify.reading.holders import holders
from curator.verify.reading.keys import JOINTS, key_of
from curator.verify.reading.roles import Role
from curator.verify.reading.senses import factor_sense
from curator.verify.reading.ties import FAR, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.rules.numbers.names import names_of
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import FACTOR, PERCENT, POINTS, TIME

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.rules.numbers.statement import Statement

_LASTING = words.word_set("took takes take longer shorter slower faster lasted long time finished sooner quicker wall")
_HISTORY = words.word_set(
    """
    peaking bottoming starting then back turned dipped drifting drifted
    first initial initially start started began begins beginning peak peaked best touched lowest highest had climbed
    worst maximum minimum once bottomed before earlier previously
    """
)
"""Words of a sentence that speaks of more than a metric's last value."""
_FINAL = forms("finish end stop") | {"last", "finally"}
_TOUCHED = forms("touch peak")
_AVERAGING = forms("average") | words.word_set("mean means")
_VARYING = forms("vary sweep")
_FEW = 12
_CHANCE = {1: 1.0, 2: 0.5}


@dataclass(frozen=True, slots=True)
class Meaning:
    """One quantity that a numeral may mean, and what speaks against it."""

    quantity: Quantity
    runs: float
    names: float
    role: float
    chance: float = 0.0

    @property
    def said(self) -> float:
        """What it costs by what the sentence says, whatever the digits."""
        return self.runs + self.names + self.role

    @property
    def cost(self) -> float:
        return self.said + self.chance


class Costs:
    """Prices the meanings of one numeral."""

    def __init__(self, statement: Statement) -> None:
        self._it, self._world, self._s, self._i = statement, statement.world, statement.s, statement.i

    def of(self, quantity: Quantity) -> Meaning:
        runs, names, role = self._runs(quantity), self._names(quantity), self._role(quantity)
        return Meaning(quantity, runs, names, role, self._chance(quantity) if runs + names + role else 0.0)

    def _chance(self, quantity: Quantity) -> float:
        """With few digits a numeral fits something by chance, which is no reason to believe a far-fetched meaning."""
        exact = quantity.kind in {FactKind.CONFIG, FactKind.COUNT} or self._it.numeral.word
        return 0.0 if exact else _CHANCE.get(self._it.numeral.significant, 0.0)

    @cached_property
    def names(self) -> Ties:
        """The metrics that the numeral may be of."""
        return names_of(self._it)

    # -- runs -------------------------------------------------------------------------------------------------------

    def _runs(self, quantity: Quantity) -> float:
        it = self._it
        if not quantity.runs or not self._world.tells_apart(quantity.runs):
            return 0.0
        if quantity.kind is FactKind.CONFIG and self.holders:
            return 0.0 if any(self._is_held(runs, quantity) for runs in self.holders) else FAR
        if self._is_varied(quantity):
            return 0.0
        called = quantity.kind is FactKind.CONFIG and self._s.runs(self._i) & quantity.runs
        if called and not it.reader.everyone(self._i):  # "every run that finished used a rate of 0.01"
            return 0.0
        if quantity.kind is FactKind.CONFIG and any(
            0 < self._i - m.last <= 3 and m.meant & quantity.runs for m in it.reader.runs
        ):
            return 0.0  # "int8 under 64 clients"
        if quantity.is_change and it.pair is not None and quantity.against:
            of, over = it.pair
            return 0.0 if quantity.runs <= of and quantity.against in over else FAR
        if quantity.is_change and self._is_along(quantity):
            return it.subjects.cost(quantity.runs)
        if quantity.is_change and quantity.against:
            open_ = not it.subjects.all and bool(quantity.runs & it.told)
            told = 0.5 if quantity.against in it.told or open_ else FAR
            against = min(it.references.cost(frozenset({quantity.against})), told)
            cost = it.subjects.cost(quantity.runs) + against
            between = {*quantity.runs, quantity.against} <= it.told and quantity.against not in it.subjects.surest
            return min(cost, 0.5) if between else cost
        if quantity.extreme and it.compared:
            return min(it.owners.cost(quantity.runs), it.subjects.cost(quantity.runs))
        ranged = it.compared and self._s.word(self._i + 1) == "to" and self._s.word(self._i - 1) != "from"
        among = it.subjects.cost(quantity.runs) + 0.5 if ranged else FAR  # "all alike, 103.7 to 104.3 tok/s"
        return min(it.owners.cost(quantity.runs), among)

    def _is_along(self, quantity: Quantity) -> bool:
        """``quadrupling the batch added 0.8 points``: between two runs that the setting which is moved tells apart."""
        axis = self._it.reader.axis(self._i)
        pair = (*quantity.runs, quantity.against)
        return axis is not None and {pair, pair[::-1]} & {*self._world.moves[axis.key]} != set()

    def _is_varied(self, quantity: Quantity) -> bool:
        """``vary `policy` and `microbatch`: full, 4, dots, 8``."""
        said = quantity.kind is FactKind.CONFIG and bool(self._s.words & _VARYING)
        return said and any(quantity.name in token.keys for token in self._s.tokens)

    @cached_property
    def holders(self) -> list[frozenset[str]]:
        """The runs that it is a setting of, if it is one: ``LR-003 uses a learning rate of 0.01``."""
        thought = self._s.negated(self._i) or (self._s.word(self._i - 1) != "to" and self._s.hedged(self._i))
        return [] if thought else holders(self._it.reader, self._s, self._i)

    def _is_held(self, runs: frozenset[str], quantity: Quantity) -> bool:
        """Whether runs have a setting: each of them, where the sentence tells but one value for all."""
        told = [j for j in self._s.of_kind(TokenKind.NUMBER) if self._it.key and key_of(self._s, j) == self._it.key]
        own = [number_of(f) for run, f in self._world.configs.get(quantity.name, {}).items() if run in runs]
        listed = len(told) > 1 or (self._s.word(self._i + 1) in JOINTS and self._s.numeral(self._i + 2) is not None)
        return bool(runs & quantity.runs) and (listed or all(value == quantity.value for value in own))

    @cached_property
    def is_told_setting(self) -> bool:
        """Whether it is a setting, by the key beside it, of runs that have one: then it is the value of no metric."""
        if not self._is_beside_key():
            return False
        keyed = [run for key in self._it.key or () for run in self._world.configs.get(key, ())]
        return any(run in runs for runs in self.holders for run in keyed)

    # -- names ------------------------------------------------------------------------------------------------------

    def _names(self, quantity: Quantity) -> float:
        if quantity.kind is FactKind.CONFIG:
            return self._key(quantity)
        if quantity.kind is FactKind.COUNT:
            return 0.0 if self._is_counted(quantity) else FAR
        if quantity.kind is FactKind.NAME or self.is_told_setting:
            return FAR
        names = self.names
        elliptic = self._it.numeral.unit is None and quantity.kind is FactKind.DURATION and self._is_timed_by_unit()
        if elliptic:  # "21.5 minutes where GPTQ needed 45.5"
            names = Ties([tie for tie in names.all if tie.meant & self._world.in_unit(TIME)], names.missing)
        named = quantity.name in names.surest
        long = quantity.kind is FactKind.DURATION or quantity.name in self._world.durations
        if long and not named and not self._is_timed():
            return FAR
        held = 0.0
        if self._it.key is not None and not named:
            held = FAR if self._s.word(self._i - 1) == "=" else 2.5 if self._is_beside_key() else 1.5
        cost = names.cost(frozenset({quantity.name})) + held
        # "4.65 bytes, 13 % more than": of what is stated, by whatever name
        return min(cost, 1.0) if quantity.is_change and quantity.name in self._it.told_names else cost

    def _is_beside_key(self) -> bool:
        """``KL coef. 0.1``, ``a batch size of 512``, ``lr=0.01``."""
        j = self._i - 2 if self._s.word(self._i - 1) in {".", "of", "="} else self._i - 1
        return bool(self._s.keys(j))

    def _is_timed(self) -> bool:
        return self._is_timed_by_unit() or bool(self._s.words & _LASTING)

    def _is_timed_by_unit(self) -> bool:
        return any(r.unit and r.unit.dimension == TIME for r in self._it.numeral.readings)

    def _key(self, quantity: Quantity) -> float:
        it, s = self._it, self._s
        if self._is_varied(quantity):
            return 0.0
        if s.kind(self._i - 2) is TokenKind.METRIC and s.word(self._i - 1) == "," and s.word(self._i + 1) == ",":
            return FAR  # "the worst FID, 20.1, comes from"
        if it.key is not None:
            return 0.0 if quantity.name in it.key else FAR
        if s.context.cell:
            return FAR if s.context.names or s.context.keys else 1.0
        varied = quantity.name in self._world.varying
        if varied and s.runs(self._i) & quantity.runs:
            return 0.0
        if any(quantity.name in token.keys for token in s.tokens):
            return 0.5
        if s.word(self._i - 1) == "-" and quantity.name.rpartition(".")[2].startswith(s.word(self._i - 2) or "?"):
            return 0.5  # "top-8"
        if it.role is Role.CHANGE or self._is_value_of_metric():
            return FAR
        exact = it.numeral.significant >= 3 or it.numeral.scaled or it.numeral.decimals
        return 1.0 if varied or exact else 1.5 if quantity.value > _FEW else 2.5

    def _is_value_of_metric(self) -> bool:
        """``a loss of 0.1``."""
        return bool(self._s.names(self._s.skip(self._i - 1, words.ARTICLES | {"of", "is", "was", "=", ":", "("}, -1)))

    def _is_counted(self, quantity: Quantity) -> bool:
        own = self._s.tokens[self._i].text.split()[-1]
        shared = shared_from(self._s, self._i)  # "LR-002 needed 5 attempts and LR-001 3"
        places = [self._i] if shared is None else [self._i, shared]
        beside = {own, *(self._s.word(i + step) for i in places for step in (-2, -1, 1, 2))}
        stem = quantity.name.lower().rstrip("s")
        return any(word.rstrip("s") == stem for word in beside)

    # -- role -------------------------------------------------------------------------------------------------------

    def _role(self, quantity: Quantity) -> float:
        role, numeral = self._it.role, self._it.numeral
        if quantity.kind is FactKind.CONFIG and self._s.runs(self._i) & quantity.runs:
            return 0.0
        if quantity.kind is FactKind.METRIC and len(quantity.ids) > 1 and not self._s.words & _AVERAGING:
            return 3.0
        if (
            numeral.unit is not None
            and numeral.unit.dimension == POINTS
            and not (quantity.is_change or quantity.kind is FactKind.DEVIATION)
        ):
            return 3.0
        if role is Role.PRICE and quantity.kind is FactKind.DELTA:
            return 0.5
        if role is Role.CHANGE:
            return 0.0 if quantity.is_change or quantity.kind is FactKind.DEVIATION else 3.0
        if numeral.sign == "\u00b1":
            return 0.0 if quantity.kind is FactKind.DEVIATION else 2.0
        if numeral.unit is not None and numeral.unit.dimension == POINTS and quantity.kind is FactKind.DELTA:
            return 0.0
        if quantity.kind in CHANGES - {FactKind.RATIO} and role is Role.VALUE and not numeral.sign:
            return 0.5 if self._is_share_of_change() else 3.0 if self.names.all else 2.5
        if quantity.is_change:
            return self._change(quantity) if numeral.relative or numeral.sign else 2.5
        if quantity.extreme:
            return 2.5 if self._is_final() or not (self._it.compared or self._s.words & _HISTORY) else 0.0
        return 1.5 if quantity.kind is FactKind.METRIC and self._is_peak() else 0.0

    def _is_final(self) -> bool:
        """``it finished slightly lower, at 0.67``."""
        return self._told_by(_FINAL)

    def _is_peak(self) -> bool:
        """``at its best it touched 0.68``: no last value, if any other is known."""
        return self._told_by(_TOUCHED)

    def _told_by(self, verbs: frozenset[str]) -> bool:
        """Whether the nearest verb of a value before the numeral is one of these."""
        low, _ = self._s.clause(self._i)
        for j in range(self._i - 1, max(low, self._i - 6) - 1, -1):
            if self._s.kind(j) is TokenKind.NUMBER or self._s.word(j) in _FINAL | _TOUCHED | words.MOVES.keys():
                return self._s.word(j) in verbs
        return False

    def _is_share_of_change(self) -> bool:
        """``reduced by 254 ms, which is 32 %``: percent of what is not measured in percent."""
        unit, names = self._it.numeral.unit, self.names.surest
        percent = unit is not None and unit.dimension == PERCENT
        return percent and not names & (self._world.in_unit(PERCENT) | self._world.unitless)

    def _change(self, quantity: Quantity) -> float:
        """``71 % of``, ``twice the``: a ratio; ``71 % lower`` and a bare percentage: a relative change."""
        numeral = self._it.numeral
        if numeral.unit is None or numeral.unit.dimension not in {FACTOR, PERCENT}:
            return 0.0
        if numeral.unit.dimension == FACTOR:
            return FAR if quantity.kind is FactKind.RATIO and self._is_turned_over(quantity) else 0.0
        of = self._s.word(self._i + 1) == "of"
        if quantity.kind is FactKind.RATIO:
            return 0.0 if of else 2.5
        if quantity.kind is FactKind.DELTA and not numeral.sign:
            return 2.5  # a difference of percentages is in points
        return 0.5 if of and not numeral.word else 0.0

    def _is_turned_over(self, quantity: Quantity) -> bool:
        """``3x faster`` of a latency three times as long."""
        sense = factor_sense(self._s, self._i)
        down = sense is not None and self._world.upwards(sense, quantity.name) is False
        grows = self._it.numeral.value > 1
        return down and grows and quantity.value > 1
