"""Signed notes: the reference key and note of golang.org/x/mod/sumdb/note, and no altered byte accepted."""

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.signed_notes import Checkpoint, Signer, Verifier

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_reference_note_is_signed_and_opened():
    signer = Signer.parse(SKEY)
    assert signer.skey == SKEY
    assert signer.verifier.vkey == VKEY
    note = signer.sign(TEXT)
    assert note == f"{TEXT}\n— PeterNeumann {SIGNATURE}\n"
    assert Verifier.parse(VKEY).open(note) == TEXT


def test_a_signature_beside_another_is_found():
    other = Signer("witness", bytes(32)).sign(TEXT).rpartition("\n\n")[2]
    note = Signer.parse(SKEY).sign(TEXT) + other
    assert Verifier.parse(VKEY).open(note) == TEXT
    assert Signer("witness", bytes(32)).verifier.open(note) == TEXT


def test_no_altered_character_is_accepted():
    note = Signer.parse(SKEY).sign(TEXT)
    for place in range(len(note)):
        altered = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises(CollectionsError) as caught:
            Verifier.parse(VKEY).open(altered)
        assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_no_bit_of_a_signature_is_ignored():
    """The last character before the padding of base64 has bits that a lenient decoder drops."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    note = Signer.parse(SKEY).sign(TEXT)
    at = note.rindex("=") - 1
    for bit in (1, 2):
        altered = note[:at] + alphabet[alphabet.index(note[at]) ^ bit] + note[at + 1 :]
        with pytest.raises(CollectionsError):
            Verifier.parse(VKEY).open(altered)


def test_keys_that_are_none_are_refused_and_secrets_not_repeated():
    for wrong in ("", "a+b+c", VKEY.replace("c74f20a3", "c74f20a4"), VKEY[:-4], VKEY.replace("+ARpc", "+BRpc")):
        with pytest.raises(CollectionsError):
            Verifier.parse(wrong)
    for wrong in ("", SKEY[:-4], SKEY.replace("c74f20a3", "c74f20a4")):
        with pytest.raises(CollectionsError) as caught:
            Signer.parse(wrong)
        assert "AYEK" not in str(caught.value)


def test_checkpoints_survive_their_text():
    checkpoint = Checkpoint("lender.example/rankings", 7, bytes(range(32)))
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert Checkpoint.parse(checkpoint.text + "extension\n") == checkpoint
    for wrong in ("", "a\n", "a\n07\n" + checkpoint.text.split("\n")[2] + "\n", "a\n7\nAAAA\n"):
        with pytest.raises(CollectionsError):
            Checkpoint.parse(wrong)
