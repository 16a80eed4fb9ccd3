"""Signed notes and checkpoints in the C2SP formats (signed-note, tlog-checkpoint), signed with Ed25519.

    <text, each line ended by a newline>
    <empty line>
    — <key name> base64(key hash || signature)

The key hash is the first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collections_opt.core.errors import Reason, refuse

_ED25519 = b"\x01"
_MARK = "— "


@dataclass(frozen=True)
class Verifier:
    """A public key with the name it signs under."""

    name: str
    public_key: bytes

    @property
    def key_hash(self) -> bytes:
        """The 4 bytes that say which key signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text: name+hash+base64, to be published."""
        return f"{self.name}+{self.key_hash.hex()}+{_encode(_ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Return the key of its text.

        Raises:
            CollectionsError: INVALID_ARGUMENT when it is not one, or its hash is not that of its key.
        """
        name, shown, content = (*vkey.strip().split("+", 2), "", "")[:3]
        raw = _decode(content)
        found = cls(name, raw[1:])
        if len(raw) != 33 or raw[:1] != _ED25519 or found.key_hash.hex() != shown:
            raise refuse(Reason.INVALID_ARGUMENT, "vkey", f"{vkey[:80]!r} is not an Ed25519 note key.", "Use name+hash+key.")
        return found

    def open(self, note: str) -> str:
        """Return the text of a note that this key signed.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it carries no signature of this key that holds.
        """
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        # By newlines alone, and every line ended by one: a byte that other line ends would swallow is an altered byte.
        for line in signatures.split("\n")[:-1]:
            name, _, content = line.removeprefix(_MARK).partition(" ")
            raw = _decode(content)
            if line.startswith(_MARK) and name == self.name and raw[:4] == self.key_hash:
                try:
                    Ed25519PublicKey.from_public_bytes(self.public_key).verify(raw[4:], text.encode())
                except InvalidSignature:
                    break
                return text
        raise refuse(Reason.INTEGRITY_FAILURE, "note", f"no signature of {self.name} holds.", "Fetch the note again.")


@dataclass(frozen=True)
class Signer:
    """A private key with the name it signs under."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Verifier(self.name, public)

    @property
    def skey(self) -> str:
        """The key as text, to be kept secret: PRIVATE+KEY+name+hash+base64."""
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_hash.hex()}+{_encode(_ED25519 + self.seed)}"

    @classmethod
    def parse(cls, skey: str) -> Signer:
        """Return the key of its text.

        Raises:
            CollectionsError: INVALID_ARGUMENT, without repeating the text.
        """
        parts = skey.strip().split("+", 4)
        raw = _decode(parts[-1])
        if parts[:2] != ["PRIVATE", "KEY"] or len(parts) != 5 or len(raw) != 33:
            raise refuse(Reason.INVALID_ARGUMENT, "skey", "is not a private note key.", "Use PRIVATE+KEY+name+hash+key.")
        found = cls(parts[2], raw[1:])
        if found.verifier.key_hash.hex() != parts[3]:
            raise refuse(Reason.INVALID_ARGUMENT, "skey", "its hash is not that of its key.", "Restore the key file.")
        return found

    def sign(self, text: str) -> str:
        """Return the note of a text that ends with a newline; the same text gives the same note."""
        signature = self._key.sign(text.encode())
        return f"{text}\n{_MARK}{self.name} {_encode(self.verifier.key_hash + signature)}\n"

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log: its name, how many leaves it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Return the checkpoint of its text; lines after the third are extensions and ignored.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is none.
        """
        lines = text.split("\n")
        root = _decode(lines[2]) if len(lines) > 3 else b""
        if len(root) != 32 or not lines[1].isdecimal() or str(int(lines[1])) != lines[1]:
            raise refuse(Reason.INTEGRITY_FAILURE, "checkpoint", "is not a checkpoint.", "Fetch it again.")
        return cls(lines[0], int(lines[1]), root)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return raw if _encode(raw) == text else b""  # the last character has bits that decoding ignores
