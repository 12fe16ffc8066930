"""Numbers are written with the digits that mean something, and every number can be written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.units import format_duration, format_number, format_percent, format_size, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.3087654, "2.309"),
        (0.0123456, "0.01235"),
        (123.456, "123.5"),
        (12345.678, "12,346"),
        (12345, "12,345"),
        (3.0, "3"),
        (0.0, "0"),
        (-0.0, "0"),
        (-2.3087654, "-2.309"),
        (0.00001234567, "1.235e-05"),
        (1e15, "1.000e+15"),
        (6.02e23, "6.020e+23"),
        (10**20, "100,000,000,000,000,000,000"),
        (5e-324, "4.941e-324"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_a_number_shows_four_digits_and_every_digit_of_a_whole_one(value, text):
    """More digits claim a precision that nobody measured; fewer hide a difference."""
    assert format_number(value) == text


# Rounding the largest doubles up leaves what a double can hold.
@given(st.floats(-1e307, 1e307) | st.sampled_from([math.nan, math.inf, -math.inf]) | st.integers(-(10**300), 10**300))
def test_every_number_can_be_written_and_read_back_about_right(value):
    """What a reader types into a calculator is what was measured, to four digits."""
    assert float(format_number(value).replace(",", "")) == pytest.approx(float(value), rel=6e-4, nan_ok=True)


def test_a_unit_stands_after_its_number():
    """A number without its unit is no result."""
    assert format_value(12345, "tok/s") == "12,345 tok/s"
    assert format_value(0.5) == "0.5000"


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.345, "+12.3 %"), (-3.0, "-3.0 %"), (0.0, "+0.0 %"), (math.nan, "nan %"), (math.inf, "inf %")],
)
def test_a_relative_change_has_its_sign(value, text):
    """Whether it rose or fell must not depend on reading carefully."""
    assert format_percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (43.21, "43.2 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (59.96, "1 min 0 s"),
        (725.4, "12 min 5 s"),
        (3599.6, "1 h 0 min"),
        (9060, "2 h 31 min"),
        (360_000, "100 h 0 min"),
        (-5.0, "-5.0 s"),
    ],
)
def test_a_duration_is_in_words(seconds, text):
    """`9060` says nothing to a reader."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_400_000, "1.4 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (999_999_999, "1.0 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_a_size_has_decimal_units(size, text):
    """As `ls -H` and every disk has them."""
    assert format_size(size) == text
