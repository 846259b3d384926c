"""Encoded bodies: all of what they hold comes out however they are cut, and no more than is safe."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.transport.decoding import PIECE_BYTES, DecodeError, decoder_for

WBITS = {"gzip": 31, "deflate": 15, "raw": -15}
LENGTHS = (1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 5 * PIECE_BYTES + 7)


def packed(plain: bytes, form: str) -> bytes:
    packer = zlib.compressobj(wbits=WBITS[form])
    return packer.compress(plain) + packer.flush()


def decoded(encoding: str, *reads: bytes) -> bytes:
    decoder = decoder_for(encoding)
    pieces = [piece for read in reads for piece in decoder.feed(read)]
    decoder.end()
    assert all(len(piece) <= PIECE_BYTES for piece in pieces) or not encoding
    return b"".join(pieces)


@pytest.mark.parametrize("form", WBITS)
@pytest.mark.parametrize("length", LENGTHS)
def test_all_of_it_comes_out_in_pieces(form: str, length: int) -> None:
    plain = bytes(length)
    assert decoded("gzip" if form == "gzip" else "deflate", packed(plain, form)) == plain


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.lists(st.integers(0, 200), max_size=5))
def test_members_of_gzip_are_one_body_however_they_are_cut(members: list[bytes], cuts: list[int]) -> None:
    body = b"".join(map(gzip.compress, members))
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    reads = [body[start:end] for start, end in pairwise(places)]
    assert decoded("gzip", *reads) == b"".join(members)


def test_what_follows_the_last_member_is_ignored() -> None:
    assert decoded("gzip", gzip.compress(b"whole") + b"\0\0padding", b"more") == b"whole"
    assert decoded("deflate", packed(b"whole", "deflate"), b"more") == b"whole"


@pytest.mark.parametrize("kept", [1, 9, 20, 28])
def test_a_body_that_was_cut_off(kept: int) -> None:
    with pytest.raises(DecodeError, match="the gzip body was cut off"):
        decoded("gzip", gzip.compress(b"whole") + gzip.compress(b"not whole at all")[:kept])


def test_a_bomb_is_decoded_only_as_far_as_it_is_taken() -> None:
    bomb = gzip.compress(bytes(1 << 28))
    decoder = decoder_for("gzip")
    pieces = iter(decoder.feed(bomb))
    assert len(next(pieces)) <= PIECE_BYTES


@given(st.binary(min_size=1, max_size=300), st.integers(10, 300), st.integers(1, 255), st.integers(1, 50))
def test_all_before_a_fault_comes_out_however_it_is_cut(plain: bytes, at: int, mask: int, size: int) -> None:
    body = bytearray(gzip.compress(plain))
    body[at % len(body)] ^= mask
    whole, bytewise, cut = (until_fault(bytes(body), step) for step in (len(body), 1, size))
    assert whole == bytewise == cut


def until_fault(body: bytes, size: int) -> tuple[bytes, str]:
    """What the body decodes to, read in pieces of that size, and the fault behind it."""
    decoder, plain = decoder_for("gzip"), bytearray()
    try:
        for at in range(0, len(body), size):
            for piece in decoder.feed(body[at : at + size]):
                plain += piece
        decoder.end()
    except DecodeError as error:
        return bytes(plain), str(error)
    return bytes(plain), ""


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip, br", "zstd", "compress"])
def test_an_encoding_that_is_not_read_is_named(encoding: str) -> None:
    with pytest.raises(DecodeError, match=f"Content-Encoding {encoding}, which was not asked for"):
        decoder_for(encoding)
