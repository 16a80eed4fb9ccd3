"""Random ugly files: each is read to the clean file's values, with its spoiled rows quarantined, or refused with the cause named.

    python -m harness.ugly_files --count 10000

Nothing here shares code with the readers: a file is written from clean values, and what comes back is compared with them.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError
from collections_opt.datasets.files import portfolio_files
from collections_opt.datasets.files.mappings import CsvFormat, FileMapping
from harness.ugly_style import TODAY, Style
from tests.support.books.spreadsheets import write_xlsx

ODD_IDS = (
    "{n}",
    "00{n}",
    "A-{n}",
    "Mun\u0303oz-{n}",
    "M\u00fcller {n}",
    "=1+{n}",
    "[/red]{n}",
    '"{n}"',
    "a,b;{n}",
    " {n} ",
    "\u20ac{n}",
)
BAD_NUMBERS = ("n/a", "ten", "1.2.3", "--5", "1e999", "#REF!", "0x1F")
BAD_DATES = {
    "%Y-%m-%d": "2026-02-30",
    "%m/%d/%Y": "02/30/2026",
    "%d/%m/%Y": "30/02/2026",
    "%d.%m.%Y": "31.09.2026",
    "%Y%m%d": "20260231",
}


@dataclass
class Ugly:
    """One file: how it is written, what it should give, and how it was spoiled."""

    seed: int
    mapping: FileMapping
    path: Path
    clean: pd.DataFrame
    spoiled: set[int] = field(default_factory=set)
    refusal: str = ""
    ugliness: list[str] = field(default_factory=list)


def make(seed: int, folder: Path) -> Ugly:
    """Write the file of a seed."""
    draw = np.random.default_rng([20261124, seed])
    kind = str(draw.choice(["csv", "csv", "csv", "txt", "tsv", "csv.gz", "csv.zip", "xlsx", "parquet"]))
    clean = _clean(draw, int(draw.integers(1, 40)))
    style = Style(draw, kind)
    texts = _texts(clean, style)
    ugly = Ugly(seed, style.mapping(), folder / f"ugly.{kind}", clean, ugliness=[kind])
    _spoil_cells(draw, style, texts, ugly)
    _write(draw, style, texts, ugly)
    return ugly


def _clean(draw, count: int) -> pd.DataFrame:
    forms = draw.choice(np.array(ODD_IDS, dtype=object), count)
    return pd.DataFrame(
        {
            "id": [str(form).format(n=1_000 + n) for n, form in enumerate(forms)],
            "balance": draw.integers(1, 90_000_000, count) * np.where(draw.random(count) < 0.15, -1, 1),
            "arrears": draw.integers(0, 9_000_000, count),
            "due": [TODAY - timedelta(days=int(one)) for one in draw.integers(1, 900, count)],
            "opened": [TODAY - timedelta(days=int(one)) for one in draw.integers(1, 5_000, count)],
            "bankrupt": draw.random(count) < 0.2,
            "lgd": draw.integers(0, 101, count),
        }
    )


def _texts(clean: pd.DataFrame, style: Style) -> dict[str, list[str]]:
    return {
        "id": clean["id"].tolist(),
        "balance": [style.money(one) for one in clean["balance"]],
        "arrears": [style.money(one) for one in clean["arrears"]],
        "due": [style.day(one) for one in clean["due"]],
        "opened": [style.day(one) for one in clean["opened"]],
        "bankrupt": [style.flag(bool(one)) for one in clean["bankrupt"]],
        "lgd": [f"{one}%" if style.percent else str(one) for one in clean["lgd"]],
    }


def _spoil_cells(draw, style: Style, texts: dict[str, list[str]], ugly: Ugly) -> None:
    """Put faults into cells; a spoiled row must be quarantined."""
    count = len(texts["id"])
    for row in range(count):
        if draw.random() > 0.12:
            continue
        column = str(draw.choice(["balance", "arrears", "due", "opened", "bankrupt", "lgd", "required"]))
        if column == "required":
            texts[str(draw.choice(["id", "balance", "arrears", "due"]))][row] = ""
        elif column in ("due", "opened"):
            texts[column][row] = BAD_DATES.get(style.date_format, "soon") if draw.random() < 0.6 else "00/00/0000"
        else:
            texts[column][row] = "maybe" if column == "bankrupt" else str(draw.choice(BAD_NUMBERS))
        ugly.spoiled.add(row)
        ugly.ugliness.append(f"bad {column}")


def _write(draw, style: Style, texts: dict[str, list[str]], ugly: Ugly) -> None:
    rows = [[texts[name][row] for name in style.order] + (["x"] if style.extra else []) for row in range(len(texts["id"]))]
    head = style.header()
    if draw.random() < 0.06:
        gone = str(draw.choice(["Balance", "BK", "Opened"]))
        if not style.no_header:
            head[head.index(gone)] = f"{gone} 2"
            ugly.refusal = f"no column {gone}"
    elif not style.no_header and draw.random() < 0.05:
        head.append("Balance")
        rows = [[*row, "1"] for row in rows]
        ugly.refusal = "Balance"
    if style.is_parquet:
        if len(set(head)) < len(head):  # Parquet files of lenders have one name per column
            head[-1], ugly.refusal = "Balance 2", ""
        pd.DataFrame(rows, columns=head).to_parquet(ugly.path)
        return
    before = [f"Report {n}" for n in range(style.first)]
    after = ["Total"] * style.last
    if style.is_sheet:
        table = [[one] for one in before] + ([] if style.no_header else [head]) + rows + [[one] for one in after]
        write_xlsx(ugly.path, {"Data": table})
        return
    _write_text(draw, style, (head, rows, before, after), ugly)


def _write_text(draw, style: Style, parts, ugly: Ugly) -> None:
    head, rows, before, after = parts
    lines = [_line(row, style) for row in rows]
    ragged = 0
    for row in range(len(lines)):
        if draw.random() < 0.05:
            ugly.spoiled.add(row)
            ugly.ugliness.append("ragged")
            ragged += 1
            lines[row] = lines[row] + style.delimiter + "more" if draw.random() < 0.5 else _line(rows[row][:-1], style)
    if ragged == len(rows):
        ugly.refusal = ugly.refusal or "as many cells as the header"
    for _ in range(int(draw.integers(0, 3)) if draw.random() < 0.3 else 0):
        lines.insert(int(draw.integers(0, len(lines) + 1)), "" if draw.random() < 0.5 else style.delimiter * (len(head) - 1))
        ugly.ugliness.append("blank line")
    text = style.line_end.join([*before, *([] if style.no_header else [_line(head, style)]), *lines, *after])
    text += "" if draw.random() < 0.2 else style.line_end
    if style.encoding == "windows-1252":  # it has no combining characters
        text = unicodedata.normalize("NFC", text)
    content = text.encode(style.encoding)
    if draw.random() < 0.1 and style.encoding in ("windows-1252", "utf-16") and not text.isascii():
        ugly.mapping = _declared_utf8(ugly.mapping)
        ugly.refusal = "encoding"
    if style.kind.endswith(".gz"):
        content = gzip.compress(content, 1)
    elif style.kind.endswith(".zip"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("inner.csv", content)
        content = buffer.getvalue()
    if style.kind.endswith((".gz", ".zip")) and draw.random() < 0.05:
        content, ugly.refusal = content[: len(content) // 2], "cannot be read|no .zip|encoding"
    ugly.path.write_bytes(content)


def _declared_utf8(mapping: FileMapping) -> FileMapping:
    changed = CsvFormat(mapping.csv.delimiter, mapping.csv.decimal_point, "utf8", mapping.csv.column_names)
    return FileMapping(**{**{name: getattr(mapping, name) for name in mapping.__dataclass_fields__}, "csv": changed})


def _line(cells: list[str], style: Style) -> str:
    def quoted(text: str) -> str:
        needs = style.quote_all or style.delimiter in text or '"' in text
        return '"' + text.replace('"', '""') + '"' if needs else text

    return style.delimiter.join(quoted(one) for one in cells)


def judge(ugly: Ugly) -> list[str]:
    """Return what is wrong with how a file was read, nothing where all is right."""
    try:
        reading = portfolio_files.read_portfolio(ugly.path, ugly.mapping)
        admission = admit(reading.raw)
    except CollectionsError as error:
        words = ugly.refusal.split("|")
        told = str(error)
        if not ugly.refusal:
            return [f"refused without cause: {told}"]
        return [] if any(word in told for word in words) else [f"refused for another cause than {ugly.refusal!r}: {told}"]
    except Exception as error:  # noqa: BLE001 - a traceback is what must not happen
        return [f"traceback: {type(error).__name__}: {error}"]
    if ugly.refusal:
        return [f"not refused, though {ugly.refusal!r}"]
    return _compared(ugly, reading, admission)


def _compared(ugly: Ugly, reading, admission) -> list[str]:
    wrong = []
    counts, portfolio = reading.counts, admission.portfolio
    if (
        not counts.row_count
        == len(ugly.clean)
        == portfolio.account_count + admission.quarantine.row_count + counts.filtered_count
    ):
        wrong.append(f"{len(ugly.clean)} rows in, {counts.row_count} counted, {portfolio.account_count} accepted")
    good = ugly.clean[[row not in ugly.spoiled for row in range(len(ugly.clean))]]
    wanted = {
        unicodedata.normalize("NFC", one).strip().encode(): row for one, row in zip(good["id"], good.itertuples(), strict=True)
    }
    found = portfolio.column("account_id").tolist()
    if set(found) != set(wanted):
        lost, odd = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
        first = list(zip(admission.quarantine.line.tolist(), admission.quarantine.rule, admission.quarantine.value, strict=True))[
            :3
        ]
        return [*wrong, f"lost {lost[:3]}, accepted though spoiled {odd[:3]}, told {first}"]
    for place, name in enumerate(found):
        row = wanted[name]
        months = (TODAY.year - row.opened.year) * 12 + TODAY.month - row.opened.month
        right = (row.balance, row.arrears, (TODAY - row.due).days, months, row.bankrupt, row.lgd)
        read = [portfolio.column(column)[place] for column in COMPARED]
        read[-1] = int(np.rint(read[-1] * 100))
        if tuple(map(int, read)) != tuple(map(int, right)):
            wrong.append(f"{name!r}: {read} not {right}")
    return wrong


COMPARED = ("balance_minor", "arrears_minor", "days_past_due", "months_on_book", "bankruptcy", "loss_given_default")


def main() -> int:
    """Read many files; print what was met and what went wrong; exit code 1 when anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    met: Counter[str] = Counter()
    failed = rows = refused = quarantined = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.first, given.first + given.count):
            ugly = make(seed, Path(folder))
            wrong = judge(ugly)
            rows, refused, quarantined = rows + len(ugly.clean), refused + bool(ugly.refusal), quarantined + len(ugly.spoiled)
            met.update(set(ugly.ugliness))
            if wrong:
                failed += 1
                print(f"seed {seed} ({', '.join(ugly.ugliness)}): {'; '.join(wrong)[:600]}")
            ugly.path.unlink()
    shown = ", ".join(f"{name} {count:,}" for name, count in met.most_common())
    print(f"{given.count:,} files of {rows:,} rows, {quarantined:,} spoiled; {refused:,} to be refused; met: {shown}")
    print(f"{failed:,} files read wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
