"""An engine's URL shows no secret, and is the URL it was made of all the same."""

from __future__ import annotations

import copy

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url


@pytest.mark.parametrize(
    "url",
    [
        "dynamics://cid:can%2Fary@contoso.crm.dynamics.com/?OAuthAccessToken=canary&Tenant=contoso.com",
        "dynamics:///?OrganizationUrl=https://contoso.crm.dynamics.com;oauthclientsecret=canary;Tenant=contoso.com",
        "dynamics:///?OrganizationUrl=https://contoso.crm.dynamics.com&Password=%22a%3Bcanary%22&Tenant=contoso.com",
        "dynamics:///?Tenant=contoso.com&nosuch=canary",
    ],
)
def test_no_secret_shows_and_nothing_is_lost(url: str) -> None:
    engine = sa.create_engine(url)
    for shown in (repr(engine), repr(engine.url), str(engine.url), f"{engine.url}", repr([engine.url])):
        assert "canary" not in shown and "can%2Fary" not in shown and "Tenant=contoso.com" in shown
    whole = engine.url.render_as_string(hide_password=False)
    assert make_url(whole) == engine.url == make_url(url) and hash(engine.url) == hash(make_url(url))
    again = sa.create_engine(copy.copy(engine.url).set(drivername="dynamics+webapi"))
    assert again.url.query == engine.url.query and "canary" not in repr(again)
