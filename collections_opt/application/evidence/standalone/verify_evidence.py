"""Check evidence with nothing but Python 3.8 or newer: a ranking's archive or a person's pack (.zip), the proof of one account
or one event (.json).

    python verify_evidence.py EVIDENCE [--key KEY] [--since CHECKPOINT]

KEY is the lender's public key, or its fingerprint (SHA-256) as the lender gave it to you on paper. Without it the key inside the
evidence is used, which shows that its parts belong together, but not who made it: whoever made the evidence put that key there.
CHECKPOINT is a file that the lender gave you before; with an archive it shows whether the log only grew since then, or something
that was recorded is gone. Exit code 0: everything holds. 1: something does not.
"""

import base64
import collections
import hashlib
import io
import json
import sys
import zipfile

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # the field and the group order of Ed25519
D = -121665 * pow(121666, P - 2, P) % P
CHAINED = ("seq", "ranking_id", "request_id", "payload_digest", "portfolio_id", "record", "previous_digest", "created_at")
FILES = {"plan_object": "plan.json", "rules_object": "rules.json", "model_card_object": "model_card.md",
         "effects_object": "effect_model.json"}  # fmt: skip
MODELS = {"outcome": "model", "effect": "effects"}  # as a record names these kinds; it names any other by its own name
DISPOSITIONS = {1: "worked", 2: "not worked: a rule forbids it in every queue",
                3: "not worked: contact costs more than it adds", 4: "not worked: its minutes earn more with others",
                5: "not worked: its person is contacted about another account",
                6: "not worked: its person was drawn to be left alone, to learn what contact is worth",
                7: "not worked by this plan: its person was drawn for another plan, which works it"}  # fmt: skip
DISPOSITION_NAMES = {1: "DISPOSITION_ASSIGNED", 2: "DISPOSITION_INELIGIBLE", 3: "DISPOSITION_COSTS_MORE_THAN_IT_EARNS",
                     4: "DISPOSITION_PRICED_OUT", 5: "DISPOSITION_ANOTHER_ACCOUNT_WORKED", 6: "DISPOSITION_HELD_OUT",
                     7: "DISPOSITION_OTHER_PLAN"}  # fmt: skip

APPROVALS = {
    "CLAIMED": "as claimed: nobody authenticated who approved",
    "SELF_APPROVED": "SELF_APPROVED: no second person looked",
}


class Refused(Exception):
    """What does not hold, in a sentence."""


def need(holds, sentence):
    """Refuse unless it holds."""
    if not holds:
        raise Refused(sentence)


def sha256(content):
    """Return the digest of bytes."""
    return hashlib.sha256(content).digest()


def unhex(text):
    """Return the bytes of lower-case hex; one spelling, so that no altered letter passes."""
    need(bytes.fromhex(text).hex() == text, "a hash is misspelt")
    return bytes.fromhex(text)


def add(a, b):
    """Add two points of the curve (x, y, z, t)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P


def times(scalar, point):
    """Multiply a point."""
    total = (0, 1, 1, 0)
    while scalar:
        total = add(total, point) if scalar & 1 else total
        point, scalar = add(point, point), scalar >> 1
    return total


def point(raw):
    """Return the point of its 32 bytes."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7 % P, (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * pow(2, (P - 1) // 4, P) % P
    need(len(raw) == 32 and y < P and v * x * x % P == u and (x or not sign), "a key or signature is no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_text(note, vkey):
    """Return the text of a C2SP signed note, refusing one that this Ed25519 key did not sign."""
    name, shown, encoded = vkey.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    need(sha256(name.encode() + b"\n" + key)[:4].hex() == shown and key[0] == 1, "the public key is damaged")
    text, _, line = note.rpartition("\n\n")
    text += "\n"
    mark = "— %s " % name
    need(line.startswith(mark) and line.endswith("\n"), "the note is not signed under the name " + name)
    raw = base64.b64decode(line[len(mark) : -1], validate=True)
    need(base64.b64encode(raw).decode() == line[len(mark) : -1] and len(raw) == 68 and raw[:4].hex() == shown,
         "the note is signed with another key")  # fmt: skip
    scalar = int.from_bytes(raw[36:], "little")
    challenge = int.from_bytes(hashlib.sha512(raw[4:36] + key[1:] + text.encode()).digest(), "little") % L
    one, other = times(scalar, BASE), add(point(raw[4:36]), times(challenge, point(key[1:])))
    same = (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0
    need(scalar < L and same, "the signature does not hold: the text was altered or another key signed it")
    return text


def fingerprint(vkey):
    """Return the SHA-256 of a public key's text, in groups of four."""
    digits = sha256(vkey.strip().encode()).hex()
    return " ".join(digits[i : i + 4] for i in range(0, 64, 4))


def trusted_key(given, inside, changes):
    """Return the key of the evidence; refuse one that the key given is not, nor vouches for by hand-overs (former key, note)."""
    plain = given.replace(" ", "").lower()
    for key, _ in [*changes, (inside, "")]:
        if given.strip() == key.strip() or plain == fingerprint(key).replace(" ", ""):
            vkey = key
            for former, note in changes:
                if former.strip() == vkey.strip():
                    text = signed_text(note, vkey).split("\n")
                    need(text[0] == "collections-opt key hand-over", "a hand-over of keys is another note")
                    vkey = text[1]
            if vkey.strip() == inside.strip():
                return inside
    raise Refused("it was made with another key than yours, and yours does not vouch for it")


def check_since(files, state, since):
    """Refuse unless the log, whose every entry's hash is here, begins as an older checkpoint says; return a sentence."""
    content = files["log_hashes.bin"]
    hashes = [content[i : i + 32] for i in range(0, len(content), 32)]
    need(len(hashes) == int(state[1]) and tree_root(hashes) == base64.b64decode(state[2]), "the hashes of the log are others")
    if not since:
        return "Whether the log lost anything since an earlier day shows only beside a checkpoint kept from then (--since)."
    origin, size, root = since.split("\n")[:3]
    need(origin == state[0], "the older checkpoint is of another log")
    need(
        int(size) <= len(hashes),
        "the older checkpoint saw %s entries, this log has %s: its newest were taken away" % (size, state[1]),
    )
    need(
        tree_root(hashes[: int(size)]) == base64.b64decode(root), "the older checkpoint saw other entries: history was rewritten"
    )
    return "The log holds everything that the older checkpoint saw: its first %s entries." % size


def check_path(leaf, index, size, path, root, what):
    """Refuse unless the leaf hash stands at this index of the Merkle tree (RFC 6962)."""
    need(0 <= index < size, what + " is outside the tree")
    at, last, found = index, size - 1, leaf
    for step in map(unhex, path):
        need(last > 0, what + ": its path is too long")
        if at & 1 or at == last:
            found = sha256(b"\x01" + step + found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + step)
        at, last = at >> 1, last >> 1
    need(last == 0 and found == root, what + " is not in the tree that was signed")


def tree_root(level):
    """Return the Merkle root (RFC 6962) over leaf hashes."""
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else sha256(b"")


def cells(layout, row):
    """Return the fields of a row by name."""
    result = {}
    for field in layout:
        raw = row[field["offset"] : field["offset"] + field["width"]]
        number = int.from_bytes(raw, "little", signed=True)
        if field["kind"] == "text":
            value = raw.rstrip(b"\0").decode()
        elif field["kind"] == "digits":
            digits = iter(str(number).zfill(field["values"][0].count("\0")))
            value = "".join(next(digits) if letter == "\0" else letter for letter in field["values"][0])
        elif field["kind"] == "suffix":
            value = field["values"][0] + str(number)[1:]
        else:
            value = field["values"][number] if "values" in field else number
        result[field["name"]] = value
    return result


def check_record(row, log, checkpoint, vkey):
    """Refuse unless the ranking's record is in the signed log; return the record and a sentence about the log."""
    digest = sha256(json.dumps([str(row[n]) for n in CHAINED], ensure_ascii=False, separators=(",", ":")).encode()).hex()
    state = signed_text(checkpoint, vkey).split("\n")[:3]
    facts = check_logged(log, state, "ranking", row["ranking_id"])
    need(set(row) == set(CHAINED), "it holds something else")
    need(facts["record_digest"] == digest, "the record differs from the one in the log")
    about = "The record is entry %d of the %s entries of the signed log %s." % (log["position"] + 1, state[1], state[0])
    return json.loads(row["record"]), about


def check_logged(log, state, kind, reference):
    """Refuse unless a leaf about something is in the log of this state (origin, size, root); return what it says."""
    facts = json.loads(log["content"])
    need(set(log) == {"content", "path", "position"}, "it holds something else")
    need((facts["kind"], facts["reference"]) == (kind, reference), "the leaf of the %s is about something else" % kind)
    leaf = sha256(b"\0" + log["content"].encode())
    check_path(leaf, log["position"], int(state[1]), log["path"], base64.b64decode(state[2]), "the " + kind)
    return facts


def check_inputs(inputs, row, record, checkpoint, vkey):
    """Refuse unless portfolio and plan are in the signed log; return sentences about who brought them."""
    state, report = signed_text(checkpoint, vkey).split("\n")[:3], []
    plan = "%s/%d" % (record["plan_id"], record["plan_version"])
    for kind, name, did in (("portfolio", row["portfolio_id"], "imported"), ("plan", plan, "saved")):
        held = check_logged(inputs[kind], state, kind, name).get("actor")
        told = "%s %s" % (did, who(held)) if held else "recorded before it was kept who %s it" % did
        report.append("The %s %s was %s." % (kind, name, told))
    return report


def who(held):
    """Return who did something, and which part of that is only the caller's word."""
    issuer, kinds = held.get("token_issuer"), ("authenticated_", "claimed_", "")
    name, role = (next((held[k + n] for k in kinds if held.get(k + n)), "") for n in ("name", "role"))
    proof = "by a token of %s" % issuer if issuer else "as the caller claimed"
    system, claims = held.get("authenticated_system"), " as ".join(n for n in (name or "somebody unnamed", role) if n)
    claim = "by %s, %s," % (claims, proof) if name or role else "by a caller who gave no name"
    shown = "the system %s, authenticated by its certificate" % system if system else "no authenticated system"
    return "%s %s %s" % (claim, "through" if system else "over", shown)


def amount(record, minor):
    """Return money in the currency's own decimals; in minor units where an older record does not tell them."""
    digits = record.get("currency_exponent")
    if digits is None:
        return "%d minor units of %s" % (minor, record["currency_code"])
    return "%.*f %s" % (digits, minor / 10.0**digits, record["currency_code"])


def described(record, queues, cell):
    """Return what a leaf says about its account, in a sentence."""
    if "disposition" not in cell:
        return "Row %(row)d (%(account_id)s) was refused at the door: %(field)s %(rule)s." % cell
    money = amount(record, cell["increment_minor"])
    where = " in %s, place %d" % (queues[cell["queue"]], cell["priority"]) if cell["queue"] >= 0 else ""
    rule = " (%s)" % record["rule_legend"][cell["rule"] - 1] if cell["rule"] else ""
    decided = "Account %s was %s%s%s" % (cell["account_id"], DISPOSITIONS[cell["disposition"]], rule, where)
    chance = cell["p_cure_nano"] / 1e9
    return "%s; expected gain of contact %s, probability of a cure without it %.4f." % (decided, money, chance)


def check_proof(content, vkey):
    """Check the proof of one account; return the report."""
    proof = json.loads(content)
    plain = json.dumps(proof, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(plain.encode() == content, "the file was reformatted")
    if vkey:
        trusted_key(vkey, proof["vkey"], proof.get("key_hand_overs", []))
    vkey = proof["vkey"]
    if "batch" in proof:
        return check_event(proof, vkey)
    parts = {"answer", "checkpoint", "leaf", "log", "plan", "row", "vkey"}
    need(
        set(proof) - {"key_hand_overs"} == parts and set(proof["leaf"]) == {"index", "path", "row", "salt"},
        "it holds something else",
    )
    record, about_log = check_record(proof["row"], proof["log"], proof["checkpoint"], vkey)
    leaves, shown, plan = record["leaves"], proof["leaf"], proof["plan"].encode()
    need(sha256(plan).hex() == record["plan_object"], "the capacity plan differs from the recorded one")
    row, accepted = unhex(shown["row"]), shown["index"] < leaves["accepted_count"]
    leaf = sha256(b"\0" + bytes([1 if accepted else 2]) + unhex(shown["salt"]) + row)
    check_path(leaf, shown["index"], leaves["count"], shown["path"], bytes.fromhex(leaves["root"]), "the account")
    cell = cells(leaves["accepted_layout" if accepted else "refused_layout"], row)
    for name, value in proof["answer"].items():
        need(cell.get(name) == value, "the answer says %s is %r, the record says %r" % (name, value, cell.get(name)))
    need(proof["answer"].get("account_id") == cell["account_id"], "the answer is about another account")
    queues = [queue["queue_id"] for queue in json.loads(plan)["queues"]]
    about = "Ranking %s of %s." % (proof["row"]["ranking_id"], record["as_of_date"])
    return [about_log, about, "It was asked for %s." % who(record["actor"]), described(record, queues, cell)]


def check_event(proof, vkey):
    """Check the proof of one event, the row of a batch whose root the log's leaf commits to; return the report."""
    parts, shown, batch = {"batch", "checkpoint", "event", "leaf", "log", "vkey"}, proof["leaf"], json.loads(proof["batch"])
    need(set(proof) - {"key_hand_overs"} == parts and set(shown) == {"index", "path", "row", "salt"}, "it holds something else")
    state = signed_text(proof["checkpoint"], vkey).split("\n")[:3]
    facts = check_logged(proof["log"], state, "events", str(batch["first_sequence"]))
    need(facts["row_digest"] == sha256(proof["batch"].encode()).hex(), "the batch of the event differs from the one in the log")
    row = unhex(shown["row"])
    leaf = sha256(b"\0\5" + unhex(shown["salt"]) + row)
    check_path(leaf, shown["index"], batch["event_count"], shown["path"], bytes.fromhex(batch["root"]), "the event")
    need(row.decode().rstrip(" ") == proof["event"], "the event differs from its row")
    event, number = json.loads(proof["event"]), batch["first_sequence"] + shown["index"]
    whom = event.get("account_id") or "the person " + event.get("customer_id", "")
    told = who(facts["actor"]) if facts.get("actor") else "by the service itself"
    about = "Event %d, %s of %s about %s, was recorded on %s %s."
    return [about % (number, event["kind"], event["occurred_at"], whom, batch["created_at"], told)]


def check_pack(files, vkey):
    """Check every proof of a person's pack, and that the pack says what its proofs say; return the report."""
    pack, report, keys, erased = json.loads(files["pack.json"]), [], set(), 0
    for shown in pack["decisions"]:
        proof, about = json.loads(files[shown["proof"]]), shown["explanation"]
        report += check_proof(files[shown["proof"]], vkey)[1:]
        keys.add(proof["vkey"])
        need(shown["answer"] == proof["answer"] and about["account_id"] == proof["answer"]["account_id"]
             and shown["ranking"]["ranking_id"] == proof["row"]["ranking_id"],
             "a decision of the pack differs from its proof")  # fmt: skip
        word = DISPOSITION_NAMES.get(proof["answer"].get("disposition"), "DISPOSITION_UNSPECIFIED")
        need(about["disposition"] == word, "a decision of the pack is told otherwise than its proof has it")
    for shown in pack["events"]:
        if shown["erased"]:
            erased += 1
            continue
        proof = json.loads(files[shown["proof"]])
        report += check_proof(files[shown["proof"]], vkey)
        keys.add(proof["vkey"])
        number = json.loads(proof["batch"])["first_sequence"] + proof["leaf"]["index"]
        need(shown["sequence"] == number and shown["event"] == json.loads(proof["event"]), "an event differs from its proof")
    need(len(keys) < 2, "the proofs are signed with several keys")
    counted = "%d decisions and %d events of the pack are proven; %d events were erased since." % (
        len(pack["decisions"]), len(pack["events"]) - erased, erased)  # fmt: skip
    return [counted, "Whether something is missing shows in the lender's own ledger alone.", *report]


def check_archive(content, vkey, since=""):
    """Check an archive; return the report."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if "pack.json" in files:
        need(not since, "only a ranking's archive can be compared with a checkpoint")
        return check_pack(files, vkey)
    rebuilt = io.BytesIO()
    with zipfile.ZipFile(rebuilt, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            archive.writestr(entry, data)
    need(rebuilt.getvalue() == content, "the archive holds bytes that belong to none of its files")
    inside, changes = files["key.vkey"].decode(), json.loads(files.get("key_hand_overs.json", b"[]"))
    vkey = trusted_key(vkey, inside, changes) if vkey else inside
    listed = signed_text(files["manifest.note"].decode(), vkey).split("\n")[1:-1]
    need(
        listed == ["%s  %s" % (sha256(files[n]).hex(), n) for n in files if n != "manifest.note"],
        "a file differs from the signed list",
    )
    row, log = json.loads(files["record.json"]), json.loads(files["log.json"])
    record, about_log = check_record(row, log, files["checkpoint.txt"].decode(), vkey)
    for key, name in files_of(record).items():
        named = record.get(key)
        need(not named or (name in files and sha256(files[name]).hex() == named), name + " differs from the recorded one")
    inputs = json.loads(files["inputs.json"])
    about = check_inputs(inputs, row, record, files["checkpoint.txt"].decode(), vkey) + check_models(record, files)
    hashes = [files["leaves.bin"][i : i + 32] for i in range(0, len(files["leaves.bin"]), 32)]
    held = record["leaves"]
    need(len(hashes) == held["count"] == held["accepted_count"] + held["refused_count"], "leaves are missing")
    need(tree_root(hashes).hex() == held["root"], "the leaves differ from the recorded tree")
    accepted = list(rows(files["accepted.bin"], held["accepted_layout"], hashes[: held["accepted_count"]], 1))
    refused = list(rows(files["refused.bin"], held["refused_layout"], hashes[held["accepted_count"] :], 2))
    hidden = held["count"] - len(accepted) - len(refused)
    state = signed_text(files["checkpoint.txt"].decode(), vkey).split("\n")[:3]
    need(not since or "log_hashes.bin" in files, "the archive is too old to be compared with a checkpoint")
    grown = [check_since(files, state, since)] if "log_hashes.bin" in files else []
    report = [about_log, *grown, "Ranking %s of %s." % (row["ranking_id"], record["as_of_date"])]
    report += ["It was asked for %s." % who(record["actor"]), *about]
    report.append("%d accounts decided, %d rows refused at the door; %d shown here, %d withheld or erased."
                  % (held["accepted_count"], held["refused_count"], held["count"] - hidden, hidden))  # fmt: skip
    return report + (check_sums(record, json.loads(files["plan.json"]), accepted) if not hidden else [])


def files_of(record):
    """Return the file that holds each object of a record, by its key; a model's text is KIND_model.json."""
    kinds = [key[: -len("_object")] for key in record if key.endswith("_object")]
    return {**{kind + "_object": kind + "_model.json" for kind in kinds if kind + "_version" in record}, **FILES}


def check_models(record, files):
    """Refuse unless manifests and approvals are those of the record; return sentences about the models used."""
    acts, report = json.loads(files["approvals.json"])["acts"], []
    kinds = [name.partition("_manifest.json")[0] for name in files if name.endswith("_manifest.json")]
    need({act["kind"] for act in acts} <= set(kinds), "approvals are of a model without manifest")
    for kind in kinds:
        name = MODELS.get(kind, kind)
        need(name + "_version" in record, "it holds the manifest of a kind of model that the record does not name")
        version = next((part for part in record[name + "_version"].split(" over ") if part.startswith(kind + "/")), "")
        digest = record[name + "_digest"]
        need(
            sha256(files[kind + "_manifest.json"]).hex() == digest, "the %s model's manifest differs from the recorded one" % kind
        )
        known = {(act["kind"] + "/" + act["version"], act["digest"]) for act in acts if act["kind"] == kind}
        need(known <= {(version, digest)}, "an approval is of another version")
        report.append("The %s model is %s, with the manifest recorded." % (kind, version))
    approval = record.get("model_approval")
    if approval:
        card = json.loads(files.get("outcome_manifest.json", b"{}")).get("files", {}).get("CARD.md")
        need(card == record["model_card_object"], "the model card is not the one that the manifest names")
        terms = {name: approval[name] for name in ("expires_at", "allowed_portfolios")}
        fits = [act for act in acts if act["kind"] == "outcome" and act["action"] == "APPROVE"
                and act["actor"] == approval["approver"] and terms.items() <= act["terms"].items()]  # fmt: skip
        need(fits, "the approval that the record names is not among those of the registry")
        mode = APPROVALS.get(approval["mode"], approval["mode"])
        report.append("It was approved by %s (%s) until %s." % (approval["approver"], mode, approval["expires_at"]))
    return report


def rows(content, layout, hashes, kind):
    """Yield the fields of every row shown, refusing one that its leaf hash does not commit to; salts of zeros are not shown."""
    width = len(content) // len(hashes) if hashes else 0
    need(width * len(hashes) == len(content), "rows are missing")
    for i, expected in enumerate(hashes):
        salt, row = content[i * width : i * width + 16], content[i * width + 16 : (i + 1) * width]
        if salt.strip(b"\0"):
            need(sha256(b"\0" + bytes([kind]) + salt + row) == expected, "row %d differs from its leaf" % i)
            yield cells(layout, row)


def check_persons(record, accepted, worked):
    """Refuse if somebody is contacted about two accounts where the record says that nobody is; return a sentence about it."""
    held = record.get("persons")
    if held is None:
        return []
    if not held["one_contact"]:
        return ["Persons may be contacted about several of their accounts: the capacity plan allows it."]
    persons = [c["person"] for c in accepted if "person" in c] or list(range(len(accepted)))
    need(len(persons) == len(accepted) and len(set(persons)) == held["person_count"], "the persons differ from the record")
    contacted = collections.Counter(c["person"] for c in worked if "person" in c)
    need(max(contacted.values(), default=0) <= 1, "a person is contacted about more than one account")
    return ["The accounts belong to %d persons; each is contacted about one of them at most." % held["person_count"]]


def check_attempts(plan, worked):
    """Refuse offers that the plan does not allow, and times that are not those of the attempts offered."""
    fewer = 0
    for cell in worked:
        queue, offered = plan["queues"][cell["queue"]], cell.get("attempts", 0)
        if offered:
            fewer += 1
            need(queue.get("attempts_may_shrink") and 1 <= offered < queue["attempts"], "attempts are offered beside the plan")
        least = 60 * (offered or queue["attempts"]) * queue["dial_minutes"]
        most = least + 60 * (queue["talk_minutes"] + queue["wrap_minutes"])
        need(least - 0.01 <= cell["seconds"] < most + 1.01, "a time is not that of the attempts offered")
    told = "%d accounts are offered fewer attempts than their queue makes, as many as a cap leaves; their times are those."
    return [told % fewer] if fewer else []


def check_windows(plan, worked):
    """Refuse call windows that are no part of the hours in which the plan says that their queue works."""
    told = 0
    for cell in worked:
        spans = [
            [clock_minutes(w["start"]), clock_minutes(w["end"]) or 1440] for w in plan["queues"][cell["queue"]].get("windows", [])
        ]
        first, after = cell.get("call_from", -1), cell.get("call_until", -1)
        inside = any(low <= first < after <= high for low, high in spans)
        need(inside if spans else first == after == -1, "a call window is not in its queue's hours")
        told += bool(spans)
    return ["%d accounts have a window in which to contact them, within their queue's hours." % told] if told else []


def clock_minutes(text):
    """Return minutes from midnight of a time such as 08:30:00."""
    return int(text[:2]) * 60 + int(text[3:5])


def check_sums(record, plan, accepted):
    """Refuse unless counts, minutes, places and money of all accounts add up to the record."""
    worked = [c for c in accepted if c["disposition"] == 1]
    counts = collections.Counter(c["disposition"] for c in accepted)
    names = [name[len("DISPOSITION_") :] for name in DISPOSITION_NAMES.values()]
    found = {n: counts[i + 1] for i, n in enumerate(names) if n in record["counts"]}
    need(found == record["counts"] and sum(found.values()) == len(accepted), "the counts differ from the record")
    need(all(c.get("arm") != 2 for c in worked), "somebody is worked who was drawn to be left alone")
    need(
        all(c["queue"] == c["best_queue"] for c in worked if c.get("arm") == 3), "somebody is worked in another queue than drawn"
    )
    need(all(c.get("arm") != 4 for c in worked), "somebody is worked who was drawn for another plan")
    for one in record.get("experiments", []):
        design = json.loads(one["text"])
        if design.get("arm") == "TWO_PLANS":
            need(record["plan_id"] in (design["plan_id"], design["challenger_plan_id"]), "two other plans share the work")
            need(all(c.get("experiment") for c in accepted), "somebody belongs to neither of two plans")
    drawn = [c for c in worked if c["explored"]]  # at random, before the others were chosen
    gained = sum(c["increment_minor"] for c in worked if not c["explored"])
    need(gained == record["objective_minor"] <= record["bound_minor"], "the gains do not add up to the recorded objective")
    for q in range(len(plan["queues"])):
        mine = [c for c in worked if c["queue"] == q]
        used = sum(c["seconds"] for c in mine)
        need(used == record["queue_seconds"][q] <= record["capacity_seconds"][q], "a queue has more work than time")
        need(sorted(c["priority"] for c in mine) == list(range(1, len(mine) + 1)), "a queue has gaps or doubles in its order")
    sums = "%d accounts are worked, in every queue within its time, %d of them drawn at random to learn from."
    gains = "The expected gains of those chosen add up to %s; no other choice could be worth more than %s."
    about = check_persons(record, accepted, worked) + check_attempts(plan, worked) + check_windows(plan, worked)
    return [sums % (len(worked), len(drawn)), *about, gains % (amount(record, gained), amount(record, record["bound_minor"]))]


def main(arguments):
    """Check a file and print the report."""
    given = {"--key": "", "--since": ""}
    names = []
    rest = iter(arguments)
    for argument in rest:
        if argument in given:
            given[argument] = next(rest, "")
        else:
            names.append(argument)
    key, since = given["--key"], ""
    if len(names) != 1:
        print(__doc__)
        return 2
    try:
        if given["--since"]:
            with open(given["--since"], encoding="utf-8") as file:
                since = file.read()
        with open(names[0], "rb") as file:
            content = file.read()
        archive = content[:2] == b"PK"
        need(archive or not since, "only an archive can be compared with a checkpoint")
        report = check_archive(content, key, since) if archive else check_proof(content, key)
    except Refused as refused:
        print("DOES NOT HOLD: %s." % refused)
        return 1
    except Exception as error:
        print("DOES NOT HOLD: the evidence cannot be read (%s: %s)." % (type(error).__name__, error))
        return 1
    unknown = "HOLDS, under the key inside the evidence; give the lender's own with --key to know who made it."
    print("HOLDS." if key else unknown)
    print("\n".join(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
