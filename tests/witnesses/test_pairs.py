"""The request and response pairs of the documentation, replayed: status, headers, members and their types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.sandbox.conftest import Client
from tests.shared import RECORDINGS
from tests.witnesses.pairs import add_sample_column, replay

FILE = RECORDINGS / "docs-http-pairs.jsonl"
LINES = FILE.read_text("utf-8").splitlines() if FILE.exists() else []
TABLE = Path(__file__).with_name("pairs_left_out.tsv").read_text("utf-8").splitlines()
LEFT_OUT = {int(number): reason for number, _, reason in (line.partition("\t") for line in TABLE if line[:1] != "#")}


@pytest.mark.skipif(not LINES, reason="the recorded samples are not beside this checkout")
def test_every_recorded_pair() -> None:
    with Sandbox(rows=60, seed=7) as running:
        client, wrong, right = Client(running), [], 0
        add_sample_column(client)
        for number, line in enumerate(LINES, 1):
            if number in LEFT_OUT:
                continue
            pair = json.loads(line)
            different = replay(client, pair)
            right += not different
            if different:
                wrong.append(f"{number} {pair['request'].splitlines()[0][:110]}: {different}")
    assert not wrong, "\n".join(wrong)
    assert right == len(LINES) - len(LEFT_OUT)


def test_each_pair_left_out_has_a_reason() -> None:
    assert LEFT_OUT and all(reason.strip() for reason in LEFT_OUT.values())
