from __future__ import annotations

import base64
import hashlib
import json
import re

from pyerlcoin.web.report import page
from tests.support.board import HOSTILE
from tests.support.evening import Evening


def report(evening: Evening) -> str:
    return page(evening.board.state(evening.now), evening.board.everyone(evening.now))


def test_the_file_is_whole() -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    text = report(evening)
    assert "static/" not in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "http:" not in re.sub(r"http://www\.w3\.org/\d+/svg", "", text)


def test_its_policy_names_the_script_and_the_style_that_are_in_it() -> None:
    evening = Evening({"Alice": 300})
    evening.run(10)
    text = report(evening)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in text


def test_it_holds_the_evening_and_no_name_can_end_it() -> None:
    names = {*HOSTILE, "R&D", "]]>", "&lt;/script&gt;"}
    evening = Evening(dict.fromkeys(names, 100.0))
    evening.run(30)
    text = report(evening)
    (data,) = re.findall(r'<script type="application/json" id="evening">(.*?)</script>', text, re.DOTALL)
    assert {"<", ">", "&"}.isdisjoint(data)
    evening_again = json.loads(data)
    assert {miner["name"] for miner in evening_again["history"]["miners"]} <= names
    assert {miner["name"] for miner in evening_again["state"]["miners"]} == names
    assert text.count("<script") == 2
