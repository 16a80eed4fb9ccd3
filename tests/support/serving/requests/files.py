"""A small file of a lender, and calls that draft its mapping and import it."""

from __future__ import annotations

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.wire.common import write_date
from tests.support.serving.calls import AS_OF

CSV = b"""Loan ID,Product,Current Balance,Past Due Amount,DPD
L1,CREDIT_CARD,9000.00,900.00,45
L2,CREDIT_CARD,12000.50,600.00,61
L3,CREDIT_CARD,x,600.00,61
"""
MAPPING = """
name = "lender"
time_zone = "Asia/Taipei"
currency_code = "TWD"
products = ["CREDIT_CARD"]
[columns]
account_id = {source = "Loan ID"}
product = {source = "Product"}
balance_minor = {source = "Current Balance"}
arrears_minor = {source = "Past Due Amount"}
days_past_due = {source = "DPD"}
"""


def drafted(content=CSV, **changes):
    """Return the messages of a draft."""
    given = {"as_of_date": write_date(AS_OF), "time_zone": "Asia/Taipei", "currency_code": "TWD", "product": "CREDIT_CARD"}
    header = pb.DraftMappingHeader(**{"file_name": "lender.csv", **given, **changes})
    return [pb.DraftMappingRequest(header=header), pb.DraftMappingRequest(part=content)]


def file_imported(content=CSV, **changes):
    """Return the messages of a file's import that stores nothing."""
    given = {"portfolio_id": "swept", "mapping": MAPPING, "as_of_date": write_date(AS_OF), "validate_only": True}
    header = pb.ImportFileHeader(**{"file_name": "lender.csv", "allow_missing": True, **given, **changes})
    return [pb.ImportFileRequest(header=header), pb.ImportFileRequest(part=content)]
