"""How a random ugly file is written, and the mapping that says so."""

from __future__ import annotations

from datetime import date

from collections_opt.datasets.files.mappings import ColumnMapping, CsvFormat, FileMapping, Layout, NumberFormat, Reading

TODAY = date(2026, 11, 24)
NAMES = {
    "id": "Account",
    "balance": "Balance",
    "arrears": "Past due",
    "due": "Due since",
    "opened": "Opened",
    "bankrupt": "BK",
    "lgd": "LGD",
}
DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y", "%b %d, %Y", "EXCEL")


class Style:
    """How one file is written, and the mapping that says so."""

    def __init__(self, draw, kind: str) -> None:
        self.kind, self.is_sheet, self.is_parquet = kind, kind == "xlsx", kind == "parquet"
        self.is_text = not (self.is_sheet or self.is_parquet)
        self.delimiter = "\t" if kind == "tsv" else str(draw.choice([",", ";", "|", "\t"]))
        self.point = str(draw.choice([".", ","]))
        self.thousands = str(draw.choice(["", "", ",", ".", " ", "'", "\u00a0"]))
        self.thousands = "" if self.thousands == self.point else self.thousands
        self.sign = str(draw.choice(["", "", "$", "\u20ac", "USD"]))
        self.sign_after = bool(draw.random() < 0.3)
        self.negative = str(draw.choice(["-", "-", "()", "after"]))
        self.percent = bool(draw.random() < 0.3)
        self.date_format = str(draw.choice(DATE_FORMATS))
        self.encoding = str(draw.choice(["utf8", "utf8", "utf-8-sig", "windows-1252", "utf-16"])) if self.is_text else "utf8"
        self.no_header = self.is_text and bool(draw.random() < 0.15)
        self.line_end = str(draw.choice(["\n", "\r\n"]))
        self.quote_all = bool(draw.random() < 0.3)
        self.codes = [{"Y": True, "N": False}, {}, {"1": True, "2": False}, {"ja": True, "nein": False}][int(draw.integers(4))]
        self.first = int(draw.integers(1, 4)) if not self.is_parquet and draw.random() < 0.25 else 0
        self.last = int(draw.integers(1, 3)) if not self.is_parquet and draw.random() < 0.25 else 0
        self.order = draw.permutation(list(NAMES)).tolist()
        self.extra = bool(draw.random() < 0.4)
        self.typed = self.is_sheet and bool(draw.random() < 0.5)
        self.missing = ("-",) if draw.random() < 0.3 else ()

    def header(self) -> list[str]:
        """Return the names of the columns in the file's order."""
        return [NAMES[name] for name in self.order] + (["Note"] if self.extra else [])

    def mapping(self) -> FileMapping:
        """Return the mapping that describes the file."""
        dates = {"date_format": self.date_format}
        columns = {
            "account_id": ColumnMapping(NAMES["id"]),
            "product": ColumnMapping(constant="LOAN"),
            "balance_minor": ColumnMapping(NAMES["balance"], scale=100),
            "arrears_minor": ColumnMapping(NAMES["arrears"], scale=100),
            "days_past_due": ColumnMapping(NAMES["due"], reading=Reading.DAYS_SINCE, **dates),
            "months_on_book": ColumnMapping(NAMES["opened"], reading=Reading.MONTHS_SINCE, missing=self.missing, **dates),
            "bankruptcy": ColumnMapping(NAMES["bankrupt"], values=self.codes),
            "loss_given_default": ColumnMapping(NAMES["lgd"], scale=1.0 if self.percent else 0.01),
        }
        signs = (self.sign,) if self.sign else ()
        numbers = NumberFormat(self.thousands, signs, self.negative == "()", self.negative == "after", self.percent)
        encoding = "utf8" if self.encoding == "utf-8-sig" else self.encoding
        csv = CsvFormat(self.delimiter, self.point, encoding, tuple(self.header()) if self.no_header else ())
        layout = Layout("", self.first, self.last)
        return FileMapping("ugly", "America/Chicago", "USD", columns, TODAY, csv=csv, numbers=numbers, layout=layout)

    def money(self, minor: int) -> str:
        """Return an amount as the file writes it."""
        whole, rest = divmod(abs(int(minor)), 100)
        text = f"{whole:,}".replace(",", self.thousands) + f"{self.point}{rest:02d}"
        if self.sign:
            text = f"{text} {self.sign}" if self.sign_after else f"{self.sign}{text}"
        if minor >= 0:
            return text
        return {"-": f"-{text}", "()": f"({text})", "after": f"{text}-"}[self.negative]

    def day(self, day: date) -> str:
        """Return a day as the file writes it."""
        return str((day - date(1899, 12, 30)).days) if self.date_format == "EXCEL" else day.strftime(self.date_format)

    def flag(self, value: bool) -> str:
        """Return a flag as the file writes it."""
        return next((code for code, means in self.codes.items() if means == value), "true" if value else "false")
