from __future__ import annotations

import asyncio
import logging

import pytest

from tests.support.board import connected, end_of, served
from tests.support.evening import Evening

HOST = b"Host: localhost\r\n"
NO_REQUESTS = {
    "garbage": b"GARBAGE\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "an endless address": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "no address": b"GET http://[ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a broken body": b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("said", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
async def test_what_is_no_request_is_refused_without_a_word_in_the_log(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with served(Evening({})) as site, connected(site, said) as reader:
            head, _, text = (await end_of(reader)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nServer:" not in head
    assert b"\r\nContent-Security-Policy: default-src 'none'" in head
    assert text == b"This is no request.\n"
    assert caplog.records == []


async def test_a_body_that_breaks_later_ends_it_without_a_word_as_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with served(Evening({}), patience=0.2) as site:
            host, port = site.url.removeprefix("http://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
            assert b" 200 " in await reader.readline()
            writer.write(b"zz\r\n")
            await end_of(reader)
            writer.close()
    assert caplog.records == []
