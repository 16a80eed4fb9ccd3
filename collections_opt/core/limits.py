"""A limit on everything, units last, with the reason for each."""

MAX_ACCOUNT_ID_BYTES = 128
"""Longer ids are quarantined: they are almost always a shifted column, and they bloat every record."""

MAX_ID_CHARACTERS = 128
"""Ids that callers choose: portfolios, plans, queues."""

MAX_TEXT_CHARACTERS = 200
"""Texts for people and lenders' codes: longer ones are documents, and every record repeats them."""

MAX_NOTE_CHARACTERS = 2_000
"""Notes that people leave beside an act."""

MAX_LIST_ITEMS = 500
"""Items of a list within a request: skills, product codes, jurisdictions, labels."""

MAX_BALANCE_MINOR = 2_000_000_000
"""Above this an account is quarantined: no row may own the objective, and increments must fit int32 for the exact solver."""

MAX_HISTORY_MONTHS = 24
"""Months of payment history an account can carry."""

MAX_DAYS_PAST_DUE = 3_660
"""Ten years; larger values are dates in the wrong column."""

MAX_CONTACT_COUNT = 10_000
"""Contacts in a window; larger values are another unit."""

MAX_QUEUES = 200
"""Queues of one capacity plan; the entry format keeps a queue in two bytes and the solver is measured to here."""

MAX_RULES = 240
"""Rules of all tables in force on one day: the rule that blocks a cell is kept in one byte, with the queue's own limits."""

MAX_WINDOWS = 24
"""Windows of a queue in a day; more than one an hour is a rota, not a desk's hours."""

MAX_CHANGED_DAYS = 366
"""Days of one change of a calendar: what holds for longer than a year is a plan's next version."""

MAX_TRIED_TABLES = 20
"""Rule tables of one what-if: a law and its neighbours, not a lender's whole set."""

MAX_SCORE_ACCOUNTS = 1_000
"""Accounts of one row-message call, so that it stays under the 4 MiB message limit and answers in milliseconds."""

MAX_CONSTRAINTS = 32
"""Limits on counts of one ranking; each may double the groups of accounts that the solver tells apart."""

MAX_HANDLING_SECONDS = 65_535
"""Handling time of one account in one queue is kept in uint16 seconds (18 hours)."""

MAX_PAGE_SIZE = 1_000
"""Rows of one page of a list call."""

MAX_CHUNK_BYTES = 4 * 1024 * 1024
"""Size of one message on the wire."""

MAX_CELL_BYTES = 1_024
"""Bytes (UTF-8) of one text of an imported row: the door quarantines long texts with their cause, but nobody stores documents."""

MAX_ROW_TEXT_BYTES = 16 * 1024
"""Bytes (UTF-8) of the texts of an imported row, but for columns of which none is long."""

MAX_ACCOUNTS_PER_PORTFOLIO = 20_000_000
"""Accounts of one portfolio: what the measured memory per account allows on one machine."""

MAX_ROW_FAULTS = 1_000_000
"""Faults that the reader of a file may send with one portfolio; more means that the mapping does not fit the file."""

MAX_OWN_COLUMNS = 200
"""Columns that a lender may declare beside the account schema; more are a data warehouse, and every record repeats them."""

MAX_OWN_CATEGORIES = 1_000
"""Texts of one declared category; more are ids or free text, which no model learns from and which may name a person."""

MAX_OWN_NUMBER = 1e15
"""Largest size of a declared number; models read numbers as float32."""

MAX_OWN_UNIT_CHARACTERS = 40
"""Of the unit of a declared number."""

MIN_CELL_COUNT = 30
"""Figures over fewer accounts are suppressed."""

MAX_EVENTS = 1_000
"""Events of one call, recorded in one transaction."""

MAX_LEASES = 100
"""Accounts that one call leases: more are a list, which ListWorklist shows."""

MAX_LEASE_SECONDS = 14_400
"""Longest lease: half a shift; who needs longer extends it and shows that he is there."""
