"""Numerals as people write them: digits, exponents, suffixes, percentages, factors, durations and number words.

Says what a numeral can mean and how precisely it says so. Knows no fact and no sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from curator.verify import units
from curator.verify.units import FACTOR, PERCENT, TIME, Unit

_ONE = Decimal(1)
_HALF = Decimal("0.5")
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a numeral can mean."""

    value: Decimal
    quantum: Decimal
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

    @property
    def unit(self) -> Unit | None:
        return self.readings[0].unit

    @property
    def value(self) -> Decimal:
        return self.readings[0].value

    @property
    def whole(self) -> bool:
        return self.unit is None and not self.decimals and self.value == self.value.to_integral_value()


SUPERSCRIPT = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+")
_SUPER = "[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b\u207a]"
_SCALES = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "B": 10**9, "bn": 10**9, "mn": 10**6}
_SCALE_WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_BINARY = {"k": 2**10, "K": 2**10, "M": 2**20, "G": 2**30}

_NUMBER = re.compile(
    r"""(?P<sign>[-+\u00b1](?=[\d.])|\u00b1[ ](?=[\d.]))?
    (?P<body>\d{1,3}(?:[,'\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?:[eE](?P<exp>[-+]?\d{1,4})(?!\w)
      |[ ]?[x\u00d7\u00b7*][ ]?10(?:\^\{?(?P<power>[-+]?\d{1,4})\}?|\*\*(?P<starred>[-+]?\d{1,4})|(?P<super>SUPER{1,5}))
      |(?<=10)(?:\^\{?(?P<bare>[-+]?\d{1,4})\}?|(?P<baresuper>SUPER{1,5}))
    )?
    (?:(?P<scale>k|K|M|G|T|B|bn|mn)(?!\w)|[ ](?P<scaleword>thousand|million|billion|trillion)(?!\w))?
    """.replace("SUPER", _SUPER),
    re.VERBOSE,
)
_DEVICE_AHEAD = re.compile(r"[x\u00d7][ ]?(?:NVIDIA|TPU|GPU|[A-Z]{1,3}\d{2,3}|v\d|RTX|\d)")
_PART = r"(\d+(?:\.\d+)?)[ ]?(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])"
_COMPOUND = re.compile(rf"{_PART}(?:(?:,[ ]|[ ]and[ ]|[ ])?{_PART}){{1,3}}(?!\w)")
_PART_RE = re.compile(_PART)
_MINUTES = re.compile(r"m(?!\w)")
_CLOCKED = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d+)?)(?!\w)")


def match(text: str, position: int, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral] | None:
    """The numeral that starts at ``position``, with the unit behind it, and where it ends.

    Args:
        text: normalised (ASCII digits, ``-`` for every minus sign).
        position: where to look; the caller knows that no word or number is being cut in two there.
        unit_pattern: what counts as a unit behind a number.
    """
    duration = _compound(text, position)
    if duration:
        return duration
    found = _NUMBER.match(text, position)
    if not found or not found["body"]:
        return None
    numeral = _number(found)
    end = found.end()
    if not found["scale"] and (minutes := _MINUTES.match(text, end)):
        minute = Unit(TIME, Decimal(60))
        first = numeral.readings[0]
        million = Reading(first.value * 10**6, first.quantum * 10**6)
        return minutes.end(), replace(numeral, readings=(replace(first, unit=minute), million))
    gap = 1 if text[end : end + 1] in {" ", "-", "\u202f"} and text[end : end + 1] else 0
    unit = unit_pattern.match(text, end + gap)
    if unit and not _DEVICE_AHEAD.match(text, end + gap):
        return unit.end(), with_unit(numeral, units.parse(unit.group()))
    return end, numeral


def with_unit(numeral: Numeral, unit: Unit | None) -> Numeral:
    return replace(numeral, readings=tuple(replace(reading, unit=unit) for reading in numeral.readings))


def _number(found: re.Match[str]) -> Numeral:
    body = re.sub(r"[,'\u202f]", "", found["body"])
    if len(body) > _LONGEST:
        body = f"1{'0' * _LONGEST}"  # no fact is that large, and Decimal would overflow on more
    decimals = len(body.partition(".")[2])
    power = found["exp"] or found["power"] or found["starred"] or (found["super"] or "").translate(SUPERSCRIPT)
    bare = found["bare"] or (found["baresuper"] or "").translate(SUPERSCRIPT)
    if bare:
        body, power = "1", bare
    factor = Decimal(10) ** _integer(power)
    value, quantum = Decimal(body) * factor, Decimal(10) ** -decimals * factor
    name = found["scale"] or found["scaleword"]
    digits = body.replace(".", "").lstrip("0")
    readings = [Reading(value, quantum)]
    if name:
        scale = _SCALES.get(name) or _SCALE_WORDS[name]
        readings = [Reading(value * scale, quantum * scale)]
        if name == "B":
            readings.append(Reading(value, quantum, units.parse("B")))
        if name in _BINARY:
            readings.append(Reading(value * _BINARY[name], Decimal(0)))
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
        parts = [(Decimal(amount), units.parse(_unit_name(name))) for amount, name in _PART_RE.findall(found.group())]
        scales = [unit.scale for _, unit in parts if unit]
        if scales != sorted(scales, reverse=True) or len(set(scales)) != len(scales):
            return None
        total = sum((amount * scale for (amount, _), scale in zip(parts, scales, strict=True)), Decimal(0))
        decimals = len(str(parts[-1][0]).partition(".")[2])
        return found.end(), _seconds(total, scales[-1] * Decimal(10) ** -decimals)
    clock = _CLOCKED.match(text, position)
    if clock:
        total = Decimal(clock[1]) * 3600 + Decimal(clock[2]) * 60 + Decimal(clock[3])
        return clock.end(), _seconds(total, Decimal(10) ** -len(clock[3].partition(".")[2]))
    return None


def _unit_name(name: str) -> str:
    return "min" if name == "m" else name


def _seconds(total: Decimal, quantum: Decimal) -> Numeral:
    return Numeral(readings=(Reading(total, quantum, Unit(TIME, _ONE)),), significant=3)


_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_CARDINALS = {word: n for n, word in enumerate(f"{_UNITS} eighteen nineteen".split(), start=1)} | {"zero": 0}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MULTIPLIERS = {"hundred": 100, "dozen": 12, **_SCALE_WORDS}
_FACTORS = {
    "twice": "2", "thrice": "3", "double": "2", "doubled": "2", "doubles": "2", "doubling": "2",
    "triple": "3", "tripled": "3", "triples": "3", "tripling": "3", "quadrupled": "4", "quadruple": "4",
    "halved": "0.5", "halves": "0.5", "halving": "0.5", "half": "0.5",
}  # fmt: skip
_FRACTIONS = {"half": "0.5", "third": "0.3333", "quarter": "0.25", "fifth": "0.2", "tenth": "0.1"}
_CARDINAL = "|".join((*_CARDINALS, *_TENS))
_WORD_NUMBER = re.compile(
    rf"(?:(?P<first>{'|'.join(_TENS)})-(?P<second>{'|'.join(_CARDINALS)})|(?P<word>{_CARDINAL})|"
    r"(?P<a>a)(?=[ ](?:hundred|dozen))|"
    r"(?P<single>single)(?=[ -](?:device|chip|gpu|tpu|host|node|machine|accelerator)))"
    rf"(?:[ ](?P<times>{'|'.join(_MULTIPLIERS)}))?(?P<half>[ ]and[ ]a[ ]half)?(?!\w)",
    re.IGNORECASE,
)
_WORD_FRACTION = re.compile(
    r"(?P<count>an?|one|two|three|four)[ -](?P<part>third|quarter|fifth|tenth)s?"
    r"(?=[ ](?:of|the|a|as|less|fewer|more|lower|higher|faster|slower)\b)",
    re.IGNORECASE,
)
_HALF_AN = re.compile(r"half[ ]an?[ ](?P<unit>hour|minute|day|second)(?!\w)", re.IGNORECASE)
_WORD_FACTOR = re.compile(rf"(?:(?P<fold>{_CARDINAL})-?fold|(?P<factor>{'|'.join(_FACTORS)}))(?![\w-])", re.IGNORECASE)
_HALF_IS_SHARE = re.compile(r"half(?=[ ](?:of|the|its|as|that)\b)", re.IGNORECASE)
_BEFORE_UNIT = re.compile(r"[ -]")


def match_word(text: str, position: int, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral] | None:
    """The number word that starts at ``position``: ``twelve``, ``two and a half hours``, ``twice``, ``a third of``."""
    if found := _HALF_AN.match(text, position):
        unit = units.parse(found["unit"])
        scale = unit.scale if unit else _ONE
        return found.end(), _seconds(scale / 2, scale / 10)
    if found := _WORD_FRACTION.match(text, position):
        count = {"a": 1, "an": 1}.get(found["count"].lower()) or _CARDINALS[found["count"].lower()]
        return found.end(), _share(count * Decimal(_FRACTIONS[found["part"].lower()]))
    if found := _WORD_FACTOR.match(text, position):
        if found["fold"]:
            return found.end(), _share(Decimal(_cardinal(found["fold"])))
        if found["factor"].lower() == "half" and not _is_share(text, position):
            return None
        return found.end(), _share(Decimal(_FACTORS[found["factor"].lower()]))
    if found := _WORD_NUMBER.match(text, position):
        return _cardinal_phrase(found, text, unit_pattern)
    return None


def _is_share(text: str, position: int) -> bool:
    return bool(_HALF_IS_SHARE.match(text, position)) or text[:position].lower().endswith((" by ", " in "))


def _share(value: Decimal) -> Numeral:
    """A factor in words stands for what is within a twentieth of it; ``a quarter lower`` is a change in percent."""
    readings = [Reading(value, value / 10, Unit(FACTOR, _ONE))]
    if value < 1:
        readings.append(Reading(100 * value, 10 * value, Unit(PERCENT, _ONE)))
    return Numeral(readings=tuple(readings), word=True)


def _cardinal(word: str) -> int:
    word = word.lower()
    return _CARDINALS[word] if word in _CARDINALS else _TENS[word]


def _cardinal_phrase(found: re.Match[str], text: str, unit_pattern: re.Pattern[str]) -> tuple[int, Numeral]:
    if found["first"]:
        value = Decimal(_cardinal(found["first"]) + _cardinal(found["second"]))
    else:
        value = _ONE if found["a"] or found["single"] else Decimal(_cardinal(found["word"]))
    value *= _MULTIPLIERS.get((found["times"] or "").lower(), 1)
    quantum = _ONE
    if found["half"]:
        value, quantum = value + _HALF, _HALF / 2
    numeral = Numeral(readings=(Reading(value, quantum),), word=True, significant=len(str(value).rstrip("0.")) or 1)
    end = found.end()
    unit = unit_pattern.match(text, end + 1) if _BEFORE_UNIT.match(text, end) else None
    if unit and len(unit.group()) > 2:
        return unit.end(), with_unit(numeral, units.parse(unit.group()))
    return end, numeral
