"""How good the verifier is: ``python -m tests.evaluation [--missed]`` prints it by kind of error. Needs no network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from tests.evaluation import measuring, records
from tests.evaluation.measuring import Tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__.partition(":")[0])
    parser.add_argument("--missed", action="store_true", help="also print each miss and each false alarm")
    missed = parser.parse_args().missed
    with ProcessPoolExecutor() as pool:
        for title, measure in (("sentences", measuring.of_sentences), ("drafts", measuring.of_drafts)):
            print_table(title, _total(pool, measure), missed=missed)


def _total(pool: ProcessPoolExecutor, measure: Callable[[str], Tally]) -> Tally:
    names, whole = records.names(), Tally()
    for number, tally in enumerate(pool.map(measure, names), start=1):
        print(f"\r{number} of {len(names)} threads", end="", file=sys.stderr, flush=True)
        whole.add(tally)
    print("\r", end="", file=sys.stderr)
    return whole


def print_table(title: str, tally: Tally, *, missed: bool) -> None:
    print(f"{title}: {tally.texts} right ones, {len(tally.doubted)} doubted ({tally.false_alarms:.1%} false alarms)")
    print(f"  {'planted errors':<28} {'planted':>7} {'found':>7} {'missed':>7}")
    for kind, planted in sorted(tally.planted.items()):
        gone = len(tally.missed.get(kind, ()))
        print(f"  {kind:<28} {planted:>7} {planted - gone:>7} {gone:>7}")
    total = tally.planted.total()
    print(f"  {'all':<28} {total:>7} {round(total * tally.found):>7} {round(total * (1 - tally.found)):>7}", end="")
    print(f"  {tally.found:.2%} found\n")
    for text in tally.doubted if missed else ():
        print(f"  false alarm: {text}")
    for kind, texts in tally.missed.items() if missed else ():
        print(*(f"  missed, {kind}: {text}" for text in texts), sep="\n")


if __name__ == "__main__":
    main()
