"""``A=1;B="x;y"`` and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings.pairs import join, split

NAMES = st.text(st.characters(whitelist_categories=("Lu", "Ll")), min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, st.text()), max_size=5))
def test_every_character_survives(pairs: list[tuple[str, str]]) -> None:
    assert split(join(pairs)) == pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        (";; ;", []),
        ("A=1;B=2;", [("A", "1"), ("B", "2")]),
        (' A = 1 ; B = "x;y" ; C=', [("A", " 1 "), ("B", "x;y")]),
        ('A=""', [("A", "")]),
        ('A="say ""yes"""', [("A", 'say "yes"')]),
        ('A=in"side', [("A", 'in"side')]),
        ("A=b=c", [("A", "b=c")]),
        ('A="x"B=1', InterfaceError),
        ('A="open', InterfaceError),
        ("A=1;B", InterfaceError),
        ("A=a;b;C=1", InterfaceError),
    ],
)
def test_the_grammar(text: str, pairs: object) -> None:
    if pairs is InterfaceError:
        with pytest.raises(InterfaceError, match=r"^(what follows )?A"):
            split(text)
    else:
        assert split(text) == pairs


def test_errors_do_not_show_values() -> None:
    for text in ('OAuthClientSecret="canary', "OAuthClientSecret=can;ary", 'OAuthClientSecret="x"canary'):
        with pytest.raises(InterfaceError) as caught:
            split(text)
        assert "ary" not in str(caught.value)
