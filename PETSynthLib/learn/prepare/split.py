"""Who is trained on and who is tested on: by anatomy, so that no brain is on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ...errors import ErrorCode, PETSynthError
from ...read.bids import read_rows
from ...read.dataset import Session
from ..store import SPLITS

SHARES: Mapping[str, float] = {"train": 0.6, "validation": 0.1, "calibration": 0.1, "test": 0.2}
_STREAM = 41


def _refuse(text: str, hint: str) -> PETSynthError:
    return PETSynthError(ErrorCode.BAD_REQUEST, text, hint)


def parse_shares(words: str) -> dict[str, float]:
    """Shares from ``train=.7,validation=.1,calibration=.1,test=.1``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an unknown split, a share that is none, or a sum other than 1.
    """
    try:
        pairs = [part.split("=") for part in words.split(",")]
        shares = {name.strip(): float(share) for name, share in pairs}
    except ValueError:
        shares = {}
    known = bool(shares) and set(shares) <= set(SPLITS)
    if not known or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise _refuse(
            f"The split {words!r} is not understood.",
            f"Give shares of {', '.join(SPLITS)} that add up to 1, like train=.7,test=.3.",
        )
    return shares


def split_sessions(
    sessions: Iterable[Session], shares: Mapping[str, float], seed: int, held_out_site: str = ""
) -> dict[str, str]:
    """The split of every anatomy.

    Parameters
    ----------
    sessions
        Of the data set.
    shares
        Share of the anatomies by split (adds up to 1). As long as there are enough, every split
        with a share gets at least one.
    seed
        Of the order in which anatomies are dealt.
    held_out_site
        Everyone seen there is tested on, and nobody else's split depends on them.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when nobody was seen at ``held_out_site``.
    """
    sites: dict[str, set[str]] = {}
    for session in sessions:
        sites.setdefault(session.anatomy, set()).add(session.fact("site"))
    away = {anatomy for anatomy, seen in sites.items() if held_out_site and held_out_site in seen}
    if held_out_site and not away:
        there = ", ".join(sorted(set().union(*sites.values()) - {""})) or "no site at all"
        raise _refuse(
            f"No subject of the data set is from the site {held_out_site!r}.",
            f"The data set names {there}.",
        )
    rest = sorted(set(sites) - away)
    order = np.random.default_rng([seed, _STREAM]).permutation(len(rest))
    names = [name for name, n in _counts(shares, len(rest)).items() for _ in range(n)]
    dealt = {rest[k]: name for k, name in zip(order, names, strict=True)}
    return dealt | dict.fromkeys(away, "test")


def _counts(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to ``shares`` that add up to ``total`` (largest remainders)."""
    wanted = [name for name in SPLITS if shares.get(name, 0.0) > 0]
    # One each first, in the order of `SPLITS`, so that a small data set can be tried at all.
    counts = {name: int(k < total) for k, name in enumerate(wanted)}
    for _ in range(total - sum(counts.values())):
        neediest = max(wanted, key=lambda name: shares[name] * total - counts[name])
        counts[neediest] += 1
    return counts


def split_column(sessions: Iterable[Session]) -> dict[str, str]:
    """The split of every anatomy as the table of people says it; empty when it has no such column.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a split is missing or unknown, or an anatomy stands in two.
    """
    said = [(s.name, s.anatomy, s.fact("split")) for s in sessions]
    if not any(split for _, _, split in said):
        return {}
    return _agreed(said, "the table of people")


def read_split_file(path: Path, sessions: Iterable[Session]) -> dict[str, str]:
    """The split of every anatomy from a TSV or CSV file with the columns subject and split.

    ``subject`` may name a session, a subject or an anatomy.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` as `split_column`, and for a subject that stands there twice.
    """
    delimiter = "\t" if path.suffix == ".tsv" else ","
    rows: dict[str, str] = {}
    for row in read_rows(path, delimiter, ("subject", "split")):
        if row["subject"] in rows:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"{row['subject']} stands twice in {path.name}.",
                "Keep one line a subject.",
            )
        rows[row["subject"]] = row["split"]

    def of(session: Session) -> str:
        subject = session.name.partition("_ses-")[0]
        return rows.get(session.name) or rows.get(subject) or rows.get(session.anatomy, "")

    return _agreed([(s.name, s.anatomy, of(s)) for s in sessions], path.name)


def _agreed(said: list[tuple[str, str, str]], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, anatomy, split in said:
        if split not in SPLITS:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"{name} has the split {split!r} in {where}.",
                f"Give every subject one of {', '.join(SPLITS)}.",
            )
        if found.setdefault(anatomy, split) != split:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The anatomy {anatomy} stands in two splits in {where}.",
                "Put all its sessions into one, or the test would know its answers.",
            )
    return found
