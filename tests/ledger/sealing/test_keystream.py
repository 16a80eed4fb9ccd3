"""ChaCha20 over many keys: the vectors of RFC 8439, and the library's own cipher key by key."""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.ledger.sealing.keystream import keystream


def test_the_vectors_of_rfc_8439():
    keys = np.arange(32, dtype=np.uint8)[np.newaxis]
    block = keystream(keys, bytes.fromhex("000000090000004a00000000"), 128)[0, 64:]
    assert block.tobytes().hex() == (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )
    zero = keystream(np.zeros((1, 32), np.uint8), bytes(12), 64)[0]
    assert zero.tobytes().hex().startswith("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7")


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(1, 200))
def test_every_row_is_the_stream_of_its_key(seed, count, width):
    rng = np.random.default_rng(seed)
    keys, nonce = rng.integers(0, 256, (count, 32), dtype=np.uint8), rng.bytes(12)
    stream = keystream(keys, nonce, width)
    assert stream.shape == (count, width)
    for key, row in zip(keys, stream, strict=True):
        cipher = Cipher(ChaCha20(key.tobytes(), bytes(4) + nonce), mode=None).encryptor()
        assert row.tobytes() == cipher.update(bytes(width))


def test_chunks_do_not_show():
    keys = np.random.default_rng(1).integers(0, 256, (9_000, 32), dtype=np.uint8)
    stream = keystream(keys, b"twelve bytes", 70)
    for row in (0, 4_095, 4_096, 8_999):
        assert stream[row].tobytes() == keystream(keys[row : row + 1], b"twelve bytes", 70).tobytes()
