"""What the sweep over broken requests expects where the rule "refused at its own path" does not say it all.

Keys are regular expressions over ``Method path: how``.
"""

from __future__ import annotations

from collections_opt.api.v1 import rule_table_pb2

REASONS = {
    "INVALID_ARGUMENT",
    "LIMIT_EXCEEDED",
    "NOT_FOUND",
    "PAGE_TOKEN_INVALID",
    "SCHEMA_MISMATCH",
    "CURRENCY_MISMATCH",
    "CAPACITY_PLAN_NOT_EFFECTIVE",
    "ETAG_MISMATCH",
    "VALUES_MISSING",
    "PERMISSION_DENIED",
}
"""Reasons that a broken request may be told."""

_PLANNED = r"\w+ (capacity_plan\.queues\[0\]|changes\.queues\[2\]\.opened)\."
_QUEUE = r"\w+ (capacity_plan\.queues\[0\]|changes\.queues\[2\]\.opened|day_change\.change\.opened)\."
_PARAMETERS = r"\w+ (basis\.portfolio\.|value_set\.)?value_parameters\."
_CHANGE = r"EvaluateCapacity changes\.queues"
_OWN = r"\w+ (header\.)?own_columns\[0\]\."
_ACCOUNT = r"\w+ accounts\[0\]\."
_EVENT = r"(RecordEvents|StreamEvents|CompleteLease) events\[\d\]\."
_RULE_TABLE = r"((Create|Update)RuleTable rule_table|EvaluateRules rule_tables\[0\])"
_RULE = rf"{_RULE_TABLE}\.rules\[\d\]"

ANSWERED = {
    r"CreateCapacityPlan capacity_plan\.plan_id: unknown": "a new id",
    rf"{_PLANNED}queue_id: unknown": "a new queue",
    r"(Create|Update)CapacityPlan .*currency_code: another currency": "a plan in another currency",
    r"EvaluateCapacity capacity_plan\.plan_id: unknown": "a plan that is stored nowhere",
    r"(Import|Check)Portfolio header\.(portfolio_id: unknown|currency_code: another currency)": "a new portfolio",
    r"(Import|Check)Portfolio header\.products: with a path": "codes of the lender",
    r"(Import|Check)Portfolio file_rows\.faults\[0\]\.(column|value|remedy): .*": "texts of the sender, shown escaped",
    r"(Import|Check)Portfolio file_rows\.faults: .*first element.*": "a row may have several faults",
    r"(Score|Place)Accounts accounts\[0\]\.(account_id|customer_id): unknown": "an account need not be known",
    r"\w+ read_mask\.paths: its first element again": "says the same",
    r"(Delete|Expire)Portfolios? reason: a path": "words of a person",
    r".* page_size: largest": "sizes above the limit are cut to it",
    rf"{_QUEUE}(agent_count|paid_minutes): missing": "zero is a value: the team is away",
    rf"{_QUEUE}effect\.(right_party_contact_rate|theta_cure|theta_default): missing": "zero is a value: no effect",
    rf"{_QUEUE}effect\.(theta_cure|theta_default): -1": "contact may do harm",
    rf"{_QUEUE}(display_name|skills|products): (with )?a path": "texts and codes of the lender",
    r"\w+ capacity_plan\.labels: with (key )?a path": "texts of the lender",
    rf"{_PARAMETERS}version: a path": "a name of the lender",
    rf"{_ACCOUNT}(account_id|customer_id): a path": "ids of the lender",
    rf"{_ACCOUNT}(months\[0\]\.)?balance_minor_units: -1": "a credit balance",
    rf"{_ACCOUNT}months\[0\]\.months_past_due: -1": "paid ahead",
    rf"{_ACCOUNT}months: its first element again": "two months may be alike",
    rf"{_OWN}expected_sign: -1": "a sign",
    rf"{_OWN}(meaning|unit): a path": "words of the lender",
    r"RollForward rolled_portfolio_id: unknown": "a new id",
    r"CreateValueSet value_set\.set_id: unknown": "a new id",
    r"(Create|Update|Approve)ValueSet actor: a path": "a name of a person",
    r"(GetValuesInForce|ScoreAccounts|ListProducts) portfolio_id: unknown": "a portfolio that is not imported yet",
    r"(CreateRuleTable rule_table|EvaluateRules rule_tables\[0\])\.rule_table_id: unknown": "a new id",
    r"(Create|Update|Approve)RuleTable actor: a path": "a name of a person",
    rf"{_RULE_TABLE}\.title: a path": "words of the lender",
    rf"{_RULE}\.(source|description): a path": "words of the lender",
    rf"{_RULE}\.rule_id: unknown": "a new id",
    r"CompareMornings changes: its first element again": "says the same",
    r"VerifyLog kept_checkpoints: (?!1,001|with NUL).*": "told as a contradiction, beside what holds",
    r"(DraftMapping|ImportFile) header\.(portfolio_id|product): unknown": "a new id",
    r"DraftMapping header\.currency_code: another currency": "what a person knows of the file",
    r"ListOutcomes account_ids: (with (unknown|a path|10,000 characters)|its first element again)": "nothing became of it",
    r"Compare(Rankings|Outcomes) ranking_ids: its first element again": "a ranking may be compared with itself",
    r"ApproveModel allowed_portfolio_patterns: its first element again": "says the same",
    r"ListModelEvents version: (a path|10,000 characters)": "a filter that nothing passes",
    r"\w+ note: a path": "words of a person",
    r"ApproveModel allowed_portfolio_patterns: with a path": "a pattern that allows nothing",
    r"EvaluateCapacity changes\.queues: its first element again": "changes are made in order",
    r"\w+ [\w.\[\]]+\.lists: its first element again": "changes are made in order",
    r"\w+ [\w.\[\]]+\.lists\[0\]\.items: with a path": "codes of the lender",
    r"ChangeCapacityDays day_change\.note: a path": "words of a person",
    rf"{_CHANGE}\[[01]\]\.added_agent_count: -1": "an agent fewer",
    rf"{_CHANGE}\[0\]\.agent_count: -1": "with two agents added there is one",
    rf"{_CHANGE}\[2\]\.queue_id: missing": "the opened queue has its own",
    r"GetCapacityCurves (factors|queue_ids): its first element again": "says the same",
    r"GetCapacityCurves queue_ids: 1,001 more of its first element": "says the same",
    r"CreateRanking constraints\.limits\[\d\]\.name: a path": "a name for people",
    r"CreateRanking constraints\.limits\[0\]\.segment\.products: with a path": "codes of the lender",
    r"ExportEvidence account_ids: (its first element again|1,001 more of its first element)": "says the same",
    rf"{_EVENT}(customer_id|event_id|\w+\.(?!lease)\w+_id): (unknown|a path)": "ids of the lender, of what may still come",
    r"(Record|Stream)Events events\[\d\]\.(account_id|contact\.lease_id): (unknown|a path)": "likewise",
    rf"{_EVENT}occur_time\.seconds: -1": "long ago",
    r"ListAccountEvents (account_id|customer_id): (unknown|a path|missing)": "nothing happened to it",
    r"(RecordEvents|StreamEvents|CompleteLease) events: its first element again": "the same event again",
    r"RecordReviews reviews: its first element again": "the same review again",
    r"RecordReviews reviews\[0\]\.event_id: (unknown|a path)": "ids of the lender",
    r"RecordReviews (actor|reviews\[0\]\.review\.reason): a path": "a name or words of a person",
    r"LeaseAccounts holder: a path": "an opaque id",
    r"(Create|Start|Stop)Experiment actor: a path": "a name of a person",
    r"StopExperiment reason: a path": "words of a person",
    r"(CreateExperiment experiment\.|PlanExperiment )scope\.products: with a path": "codes of the lender",
    r"ReleaseLease note: a path": "words of a person",
    r"MatureRankings (ranking_ids|later_portfolio_ids): its first element again": "says the same",
    r"GetMonitors (model_version|plan_id): (10,000 characters|a path|unknown)": "a filter that nothing passes",
    r"GetPortfolioPack portfolio_patterns: its first element again": "says the same",
    r"TrainModel ranking_ids: its first element again": "says the same",
    r"RecordOutcomes source: a path": "words of a person",
    r"(Erase\w+|PlaceHold|ReleaseHold) reason: a path": "words of a person",
    r"PlaceHold hold_id: unknown": "a new id",
    r"CheckContact lease_id: (unknown|a path)": "nobody's lease: what is held stays blocked",
    r"(EraseAccounts|PlaceHold|GetRetention) account_ids: its first element again": "says the same",
    r"(ErasePersons|PlaceHold) customer_ids: its first element again": "says the same",
    r"(Erase\w+|PlaceHold) (account|customer)_ids: 1,001 more of its first element": "says the same",
    r"ReadEvents after_sequence: largest": "nothing happened since",
    r"ReadRankingEvents after_sequence: largest": "nothing happened since",
}
"""Broken fields that are no fault, and why."""

TOLD_AT = {
    r"CreateExperiment experiment\.(start|end)_date\.\w+: .*": r"experiment\.(start|end)_date",
    r"(ExportPersonPack|GetPortfolioPack) (first|last)_date\.\w+: .*": r"(first|last)_date",
    r"(DraftMapping|ImportFile) part: .*": r"header|header\.file_name|part",
    r"StopExperiment stop_date\.\w+: .*": r"stop_date",
    # A default is then worth more than staying late.
    rf"{_PARAMETERS}discount_rate: missing": r"(basis\.portfolio\.|value_set\.)?value_parameters\.products.*",
    rf"{_ACCOUNT}product: .*": r"accounts\[0\]\.product|value_parameters\.products",
    rf"{_CHANGE}\[0\]\.added_agent_count: .*": r"changes\.queues\[0\]\.agent_count",
    rf"{_CHANGE}\[1\]\.(?!queue_id)\w+: .*": r"changes\.queues\[1\]\.\w+",
    rf"{_CHANGE}\[2\]\.(?!opened)\w+: .*": r"changes\.queues\[2\]\.opened",
    r"ApproveModel expire_time\.(seconds|nanos): .*": r"expire_time",
    r"ChangeCapacityDays day_change\.queue_id: .*": r"day_change\.(queue_id|change(\.\w+)*)",
    r"CheckContact customer_id: .*": r"account_id|customer_id",
    r"CheckContact contact_time\.\w+: .*": r"contact_time",
    r"EraseLapsedAccounts before_date\.\w+: .*": r"before_date",
    r"ChangeCapacityDays day_change\.(first|last)_day\.\w+: .*": r"day_change\.(first|last)_day",
    r"GetCapacityCalendar (first|last)_day\.\w+: .*": r"(first|last)_day",
    r"ChangeCapacityDays day_change\.change\.(?!queue_id|opened\.queue_id).*": r"day_change\.change(\..*)?",
    rf"{_CHANGE}\[0\]\.lists\[0\]\.items: .*": r"changes\.queues\[0\]\.(products|lists).*",
    r"\w+ [\w.]+\.(year|month|day): .*": r"(header\.|capacity_plan\.|value_set\.|rule_table\.)?(as_of_date|effective_from)",
    r"RecordOutcomes outcomes\[0\]\.outcome_date\.\w+: .*": r"outcomes\[0\]\.outcome_date",
    r"EvaluateRules rule_tables\[0\]\.effective_from\.\w+: .*": r"rule_tables\[0\]\.effective_from",
    r"((Import|Check)Portfolio|ScoreAccounts) (chunk\.columns\[\d\])\..*values: .*": r"chunk\.columns\[\d\]",
    rf"{_OWN}known_as_of\.\w+: .*": r"(header\.)?own_columns\[0\]\.known_as_of",
    r"(Extend|Complete|Release)Lease (lease_id|holder): (unknown|a path)": r"lease_id|holder",
    rf"{_EVENT}balance\.balance_minor_units: -1": r"events\[\d\]\.balance\.arrears_minor_units",
    r"RecordReviews reviews\[0\]\.occur_time\.\w+: .*": r"reviews\[0\]\.occur_time",
    rf"{_EVENT}occur_time\.\w+: .*": r"events\[\d\]\.occur_time",
    rf"{_EVENT}promise\.due_date\.\w+: .*": r"events\[\d\]\.promise\.due_date",
    rf"{_EVENT}channel_choice\.\w+: .*": r"events\[\d\]\.channel_choice\.\w+",
    rf"{_ACCOUNT}months\[0\]\..*": r"accounts\[0\]\.months",
    # A rule is named by its id: people find it by that in their file.
    **{
        rf"{_RULE}\.{name}\b.*": rf"rule_tables?(\[0\])?\.rules\[(swept-\w+|\d)\]\.{name}([.\[].*)?"
        for name in rule_table_pb2.Rule.DESCRIPTOR.fields_by_name
    },
}
"""Broken fields that are told at another path (a regular expression): a part by the whole it makes wrong."""
