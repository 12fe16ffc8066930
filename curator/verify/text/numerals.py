"""Numerals as people write them: digits, exponents, suffixes, percentages, factors, durations and number words.

Says what a numeral can mean and how precisely it says so. Knows no fact and no sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from curator.verify.text import units
from curator.verify.text.units import FACTOR, PERCENT, TIME, Unit

_LONGEST = 250
"""Digits, and powers of ten, beyond which no fact is that large and a float would overflow."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a numeral can mean."""

    value: float
    quantum: float
    """The smallest step its digits can show: 0.01 for ``2.31``, 1000 for ``16k``."""
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """A numeral with its unit."""

    readings: tuple[Reading, ...]
    sign: str = ""
    """As it is written: ``+``, ``-``, ``±`` (a deviation) or nothing."""
    significant: int = 1
    """Digits that say something: without leading zeros and without the trailing zeros of a whole number."""
    decimals: int = 0
    scaled: bool = False
    """Written with a suffix (``16k``) or an exponent, so the digits are rounded on purpose."""
    word: bool = False
    cut: bool = False
    """A duration in hours and minutes, of which people leave the rest out: 6 h 12 min for 6 h 12 min 42 s."""

    @property
    def unit(self) -> Unit | None:
        return self.readings[0].unit

    @property
    def value(self) -> float:
        return self.readings[0].value

    @property
    def whole(self) -> bool:
        return self.unit is None and not self.decimals and self.value == round(self.value)

    @property
    def digits_only(self) -> bool:
        """A whole number in plain digits, whose trailing zeros may be rounding."""
        return not (self.decimals or self.scaled or self.word) and self.readings[0].quantum == 1 and self.value != 0

    @property
    def relative(self) -> bool:
        """Whether its unit sets one value against another: percent, points, a factor."""
        return self.unit is not None and self.unit.dimension in {PERCENT, units.POINTS, FACTOR}


SUPERSCRIPT = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+")
_SUPER = "[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b\u207a]"
_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "B": 1e9, "bn": 1e9, "mn": 1e6}
_SCALE_WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_BINARY = {"k": 2.0**10, "K": 2.0**10, "M": 2.0**20, "G": 2.0**30}

_NUMBER = re.compile(
    r"""(?P<sign>[-+\u00b1](?=[\d.])|\u00b1[ ](?=[\d.]))?
    (?P<body>\d{1,3}(?:[,'\u202f]\d{3})+(?!\d)(?:\.\d+)?
      |\d+,\d{1,2}(?=[ \u202f]?(?:%|s\b|ms\b|GiB|h\b))|\d+(?:\.\d+)?|\.\d+)
    (?:[eE](?P<exp>[-+]?\d{1,4})(?!\w)
      |[ ]?[x\u00d7\u00b7*][ ]?10(?:\^\{?(?P<power>[-+]?\d{1,4})\}?|\*\*(?P<starred>[-+]?\d{1,4})|(?P<super>SUPER{1,5}))
      |(?<=10)(?:\^\{?(?P<bare>[-+]?\d{1,4})\}?|(?P<baresuper>SUPER{1,5}))
    )?
    (?:(?P<scale>k|K|M|G|T|B|bn|mn)(?!\w)|[ ](?P<apart>k|M|bn|mn)(?=[ ](?:[a-z]+[ ])?(?:[a-z]{3,}s\b|[a-z]+/)|[.,;)]|$)
      |[ ](?P<scaleword>thousand|million|billion|trillion)(?!\w))?
    """.replace("SUPER", _SUPER),
    re.VERBOSE,
)
_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
CARDINALS = {word: n for n, word in enumerate(f"{_ONES} eighteen nineteen".split(), start=1)} | {"zero": 0}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_CARDINAL = "|".join((*CARDINALS, *_TENS))
_COUNT = rf"(?:{'|'.join(_TENS)})-(?:{'|'.join(CARDINALS)})|{_CARDINAL}"
_AMOUNT = rf"\d+(?:\.\d+)?|(?i:(?:{_COUNT})(?=[ ](?:day|hour|minute|second))|an?(?=[ ](?:day|hour|minute)))"
_PART = rf"({_AMOUNT})[ ]?(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])"
_COMPOUND = re.compile(rf"{_PART}(?:(?:(?<=rs|es),[ ]|(?<=our|ute|day),[ ]|,?[ ]and[ ]|[ ])?{_PART}){{1,3}}(?!\w)")
_PART_RE = re.compile(_PART)
_MINUTES = re.compile(r"m(?!\w)")
_CLOCKED = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d+)?)(?!\w)")
_GAP = re.compile(r"[ \u202f]{1,6}|-|")


def match(text: str, position: int, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral] | None:
    """The numeral that starts at ``position``, with the unit behind it, and where it ends.

    Args:
        text: normalised (ASCII digits, ``-`` for every minus sign).
        position: where to look; the caller knows that no word or number is being cut in two there.
        unit_pattern: what counts as a unit behind a number.
    """
    if spoken := _compound(text, position) or _mixed(text, position, unit_pattern):
        return spoken
    found = _NUMBER.match(text, position)
    if not found or not found["body"]:
        return None
    numeral = _number(found)
    end = found.end()
    if not found["scale"] and (minutes := _MINUTES.match(text, end)):
        minute = Unit(TIME, 60.0)
        first = numeral.readings[0]
        million = Reading(first.value * 1e6, first.quantum * 1e6)
        return minutes.end(), replace(numeral, readings=(replace(first, unit=minute), million))
    gap = _GAP.match(text, end)
    begin = gap.end() if gap else end
    unit = unit_pattern.match(text, begin)
    if unit:
        return unit.end(), with_unit(numeral, units.parse(unit.group()))
    return end, numeral


def with_unit(numeral: Numeral, unit: Unit | None) -> Numeral:
    return replace(numeral, readings=tuple(replace(reading, unit=unit) for reading in numeral.readings))


def widened(numeral: Numeral) -> Numeral:
    """``about half`` reaches twice as far as ``half``; ``nearly three`` no further than ``three``."""
    return replace(numeral, readings=tuple(map(_widened, numeral.readings)))


def _widened(reading: Reading) -> Reading:
    return replace(reading, quantum=min(2 * reading.quantum, max(reading.quantum, abs(reading.value) / 5)))


def _number(found: re.Match[str]) -> Numeral:
    body = found["body"]
    comma = re.fullmatch(r"(\d+),(\d{1,2})", body)
    body = f"{comma[1]}.{comma[2]}" if comma else re.sub(r"[,'\u202f]", "", body)
    if len(body) > _LONGEST:
        body = f"1{'0' * _LONGEST}"
    decimals = len(body.partition(".")[2])
    power = found["exp"] or found["power"] or found["starred"] or (found["super"] or "").translate(SUPERSCRIPT)
    bare = found["bare"] or (found["baresuper"] or "").translate(SUPERSCRIPT)
    if bare:
        body, power = "1", bare
    exponent = max(-_LONGEST, min(_LONGEST, _integer(power)))
    value, quantum = float(f"{body}e{exponent}"), float(f"1e{exponent - decimals}")
    if value > 1e250:
        value, quantum = 1e250, 1.0
    name = found["scale"] or found["apart"] or found["scaleword"]
    digits = body.replace(".", "").lstrip("0")
    readings = [Reading(value, quantum)]
    if name:
        scale = _SCALES.get(name) or _SCALE_WORDS[name]
        readings = [Reading(value * scale, quantum * scale)]
        if name == "B":
            readings.append(Reading(value, quantum, units.parse("B")))
        if name in _BINARY:
            readings.append(Reading(value * _BINARY[name], 0.0))
            if name in "MG":  # "46.2G" of memory
                readings += [Reading(value, quantum, units.parse(unit)) for unit in (f"{name}B", f"{name}iB")]
    sign = (found["sign"] or "").strip()
    if sign == "-":
        readings = [replace(reading, value=-reading.value) for reading in readings]
    return Numeral(
        readings=tuple(readings),
        sign=sign,
        significant=max(1, len(digits if decimals else digits.rstrip("0"))),
        decimals=decimals,
        scaled=bool(name or power),
    )


def _integer(text: str) -> int:
    try:
        return int(text or "0")
    except ValueError:  # superscripts can stand in any order
        return 0


def _compound(text: str, position: int) -> tuple[int, Numeral] | None:
    found = _COMPOUND.match(text, position)
    if found:
        parts = [(_amount(amount), units.parse(_unit_name(name))) for amount, name in _PART_RE.findall(found.group())]
        scales = [unit.scale for _, unit in parts if unit]
        if scales != sorted(scales, reverse=True) or len(set(scales)) != len(scales):
            return None
        total = sum(amount * scale for (amount, _), scale in zip(parts, scales, strict=True))
        decimals = len(_PART_RE.findall(found.group())[-1][0].partition(".")[2])
        return found.end(), replace(_seconds(total, scales[-1] * 10.0**-decimals), cut=True)
    clock = _CLOCKED.match(text, position)
    if clock:
        total = float(clock[1]) * 3600 + float(clock[2]) * 60 + float(clock[3])
        return clock.end(), _seconds(total, 10.0 ** -len(clock[3].partition(".")[2]))
    return None


def _unit_name(name: str) -> str:
    return "min" if name == "m" else name


def _seconds(total: float, quantum: float) -> Numeral:
    total = min(total, 1e250)
    return Numeral(readings=(Reading(total, quantum, Unit(TIME, 1.0)),), significant=3)


# -- in words -----------------------------------------------------------------------------------------------------

_MULTIPLIERS = {"hundred": 100.0, "dozen": 12.0, **_SCALE_WORDS}
_FACTORS = {
    "twice": 2.0, "thrice": 3.0, "double": 2.0, "doubled": 2.0, "doubles": 2.0, "doubling": 2.0,
    "triple": 3.0, "tripled": 3.0, "triples": 3.0, "tripling": 3.0, "quadrupled": 4.0, "quadruple": 4.0,
    "quadruples": 4.0, "quadrupling": 4.0, "quintupled": 5.0,
    "quartered": 0.25, "quarters": 0.25, "quartering": 0.25,
    "halved": 0.5, "halves": 0.5, "halving": 0.5, "halve": 0.5, "half": 0.5,
}  # fmt: skip
_PARTS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2, "sixth": 1 / 6, "eighth": 0.125, "tenth": 0.1}
_MIXED = re.compile(
    rf"(?P<count>\d{{1,3}}|an?(?=[ ](?:day|hour|minute))|{_COUNT})(?:[ ](?P<unit>days?|hours?|minutes?))?"
    rf"[ -]and[ -](?P<parts>an?|one|two|three)[ -](?P<part>half|third|quarter)s?(?!\w)",
    re.IGNORECASE,
)
"""``two and a half``, ``two and three quarter hours``, ``an hour and a quarter``."""
_WORD_NUMBER = re.compile(
    rf"(?:(?P<count>{_COUNT})|a(?=[ ](?:hundred|dozen))|"
    r"single(?=[ -](?:device|chip|gpu|tpu|host|node|machine|accelerator)))"
    rf"(?:[ ](?P<times>{'|'.join(_MULTIPLIERS)}))?(?!\w)",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    rf"(?P<count>an?|one|two|three|four|five|seven|nine)[ -](?P<part>{'|'.join(_PARTS)})(?P<plural>s?)(?!\w)"
    r"(?![ ]an?[ ](?:hour|minute|day|second))",
    re.IGNORECASE,
)
_NO_FRACTION_AHEAD = re.compile(
    r"[ -](?:run|seed|attempt|time|experiment|variant|config|decimal|party|place)", re.IGNORECASE
)
_OF_AN = re.compile(
    r"(?:(?P<count>an?|one|three)[ ])?(?P<part>half|quarter|quarters)[ ](?:of[ ])?an?[ ]"
    r"(?P<unit>hour|minute|day|second)(?!\w)",
    re.IGNORECASE,
)
_OF_A_POINT = re.compile(
    r"(?:an?[ ])?(?P<part>half|third|quarter|tenth)(?:[ ]of)?[ ]a[ ](?P<unit>point)(?!\w)", re.IGNORECASE
)
_FACTOR = re.compile(
    r"(?P<again>half[ ]as[ ](?:much|many|large|long|fast|big)[ ]again|half[ ]again)"
    r"|(?:an|one)[ ](?P<order>order[ ]of[ ]magnitude)"
    rf"|(?:(?P<fold>{_CARDINAL})-?fold|(?P<factor>{'|'.join(_FACTORS)}))(?![\w-])",
    re.IGNORECASE,
)
_HALF_IS_SHARE = re.compile(r"half(?=[ ](?:of|the|its|as|that|a|an)\b)", re.IGNORECASE)
_BEFORE_UNIT = re.compile(r"[ -]")


def match_word(text: str, position: int, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral] | None:
    """The number word that starts at ``position``: ``twelve``, ``two and a half hours``, ``twice``, ``a third of``."""
    if spoken := _compound(text, position) or _mixed(text, position, unit_pattern):
        return spoken
    if found := _OF_AN.match(text, position):
        unit = units.parse(found["unit"])
        scale = unit.scale if unit else 1.0
        part = _amount(found["count"] or "a") * _PARTS[found["part"].lower().removesuffix("s")]
        return found.end(), _seconds(part * scale, scale * part / 5)
    if found := _OF_A_POINT.match(text, position):
        part = _PARTS[found["part"].lower()]
        return found.end(), Numeral(readings=(Reading(part, part / 3, units.parse("points")),), word=True)
    if (found := _FRACTION.match(text, position)) and not _NO_FRACTION_AHEAD.match(text, found.end()):
        count = _amount(found["count"])
        if (count > 1) == bool(found["plural"]):
            return found.end(), _share(count * _PARTS[found["part"].lower()])
    if found := _FACTOR.match(text, position):
        if found["again"]:
            return found.end(), _share(1.5)
        if found["order"]:
            return found.end(), Numeral(readings=(Reading(10.0, 8.0, Unit(FACTOR, 1.0)),), word=True)
        if found["fold"]:
            return found.end(), _share(_amount(found["fold"]))
        if found["factor"].lower() == "half" and not _is_share(text, position):
            return None
        return found.end(), _share(_FACTORS[found["factor"].lower()])
    if found := _WORD_NUMBER.match(text, position):
        return _cardinal_phrase(found, text, unit_pattern)
    return None


def _is_share(text: str, position: int) -> bool:
    return bool(_HALF_IS_SHARE.match(text, position)) or text[:position].lower().endswith((" by ", " in "))


def _share(value: float) -> Numeral:
    """A factor in words stands for what is within a twentieth of it; ``a quarter lower`` is a change in percent."""
    readings = [Reading(value, value / 10, Unit(FACTOR, 1.0))]
    if value <= 1:
        readings.append(Reading(100 * value, 10 * value, Unit(PERCENT, 1.0)))
    return Numeral(readings=tuple(readings), word=True)


def _amount(written: str) -> float:
    """``17``, ``seventeen``, ``twenty-five``, ``a``."""
    if written[0].isdecimal():
        return float(written)
    known = {**CARDINALS, **_TENS, "a": 1, "an": 1}
    return float(sum(known[word] for word in written.lower().split("-")))


def _mixed(text: str, position: int, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral] | None:
    found = _MIXED.match(text, position)
    if not found:
        return None
    value = _amount(found["count"]) + _amount(found["parts"]) * _PARTS[found["part"].lower()]
    numeral, end = _spoken(value, 0.25), found.end()
    if found["unit"]:
        return end, with_unit(numeral, units.parse(found["unit"]))
    if _BEFORE_UNIT.match(text, end) and (unit := unit_pattern.match(text, end + 1)):
        return unit.end(), with_unit(numeral, units.parse(unit.group()))
    alone = found["part"].lower() == "half" and not found["count"].isdecimal()
    return (end, numeral) if alone else None  # "one and a third seed"


def _spoken(value: float, quantum: float) -> Numeral:
    digits = len(f"{value:g}".rstrip("0.")) or 1
    return Numeral(readings=(Reading(value, quantum),), word=True, significant=digits)


def _cardinal_phrase(found: re.Match[str], text: str, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral]:
    value = _amount(found["count"] or "a") * _MULTIPLIERS.get((found["times"] or "").lower(), 1)
    numeral, end = _spoken(value, 1.0), found.end()
    unit = unit_pattern.match(text, end + 1) if _BEFORE_UNIT.match(text, end) else None
    if unit and len(unit.group()) > 2:
        return unit.end(), with_unit(numeral, units.parse(unit.group()))
    return end, numeral
