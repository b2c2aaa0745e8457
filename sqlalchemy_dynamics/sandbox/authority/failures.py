"""THE table of refusals: AADSTS number, OAuth error, HTTP status and text, and the body built from it.

Numbers and OAuth errors are those of Microsoft's list of AADSTS codes; texts follow the service's wording.
UNVERIFIED against the live service: which of several faults of one request is found first, the number that goes with a
declined device, and where 50076 is `invalid_grant` instead of `interaction_required` (seen both ways: `Refused.error`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

__all__ = ["FAILURES", "Failure", "Refused", "error_body"]


@dataclass(frozen=True)
class Failure:
    """One way to say no; `{0}`, `{1}` in the text take the values of a `Refused`."""

    code: int
    error: str
    text: str
    status: int = 400
    suberror: str = ""


_TABLE = (
    # the request itself
    Failure(900144, "invalid_request", "The request body must contain the following parameter: '{0}'."),
    Failure(9000411, "invalid_request", "The request is not properly formatted. The parameter '{0}' is duplicated."),
    Failure(90014, "invalid_request", "The required field '{0}' is missing from the credential."),
    Failure(90023, "invalid_request", "Unsupported '{0}' value."),
    Failure(901002, "invalid_request", "The 'resource' request parameter is not supported."),
    Failure(9002313, "invalid_request", "Invalid request. Request is malformed or invalid."),
    Failure(70003, "unsupported_grant_type", "The app requested an unsupported grant type '{0}'."),
    Failure(700051, "unsupported_response_type", "response_type '{0}' is not enabled for the application."),
    # tenant and application
    Failure(90002, "invalid_tenant", "Tenant '{0}' not found. Check to make sure you have the correct tenant ID."),
    Failure(50049, "invalid_instance", "Unknown or invalid instance."),
    Failure(50059, "invalid_request", "No tenant-identifying information found in either the request or implied by any "
            "provided credentials."),
    Failure(700016, "unauthorized_client", "Application with identifier '{0}' was not found in the directory '{1}'."),
    Failure(50011, "invalid_request", "The redirect URI '{0}' specified in the request does not match the redirect "
            "URIs configured for the application '{1}'."),
    Failure(500112, "invalid_grant", "The reply address '{0}' does not match the reply address '{1}' provided when "
            "requesting Authorization code."),
    # proof of the application
    Failure(700025, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be "
            "presented.", 401),
    Failure(7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or "
            "'client_secret'.", 401),
    Failure(7000216, "invalid_client", "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.", 401),
    Failure(7000215, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is "
            "the client secret value, not the client secret ID, for a secret added to app '{0}'.", 401),
    Failure(7000222, "invalid_client", "The provided client secret keys for app '{0}' are expired.", 401),
    Failure(70002, "invalid_client", "Error validating credentials.", 401),
    Failure(700027, "invalid_client", "The certificate with identifier used to sign the client assertion is not "
            "registered on application, or its signature is wrong.", 401),
    Failure(700024, "invalid_client", "Client assertion is not within its valid time range.", 401),
    Failure(700023, "invalid_client", "Client assertion audience claim does not match Realm issuer.", 401),
    Failure(700021, "invalid_client", "Client assertion application identifier doesn't match 'client_id' "
            "parameter.", 401),
    Failure(700211, "invalid_client", "No matching federated identity record found for presented assertion issuer "
            "'{0}'.", 401),
    Failure(700213, "invalid_client", "No matching federated identity record found for presented assertion subject "
            "'{0}'.", 401),
    Failure(50027, "invalid_client", "JWT token is invalid or malformed.", 401),
    # scopes and resources
    Failure(70011, "invalid_scope", "The provided value for the input parameter 'scope' is not valid. "
            "The scope {0} is not valid."),
    Failure(28000, "invalid_request", "Provided value for the input parameter scope is not valid because it contains "
            "more than one resource. Scope {0} is not valid."),
    Failure(650053, "invalid_client", "The application asked for scope '{0}' that doesn't exist on the resource "
            "'{1}'."),
    Failure(1002012, "invalid_scope", "The provided value for scope {0} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
    Failure(500011, "invalid_resource", "The resource principal named {0} was not found in the tenant named {1}."),
    Failure(50001, "invalid_resource", "The resource principal named {0} was not found."),
    # codes and refresh tokens
    Failure(70000, "invalid_grant", "Provided grant is invalid or malformed."),
    Failure(70008, "invalid_grant", "The provided authorization code or refresh token has expired due to inactivity. "
            "Send a new interactive authorization request for this user and resource."),
    Failure(54005, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry with a new valid "
            "code or use an existing refresh token."),
    Failure(501481, "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the "
            "authorization request."),
    Failure(700082, "invalid_grant", "The refresh token has expired due to inactivity.", 400, "bad_token"),
    Failure(700084, "invalid_grant", "The refresh token was issued to a single page app (SPA), and therefore has a "
            "fixed, limited lifetime, which cannot be extended.", 400, "bad_token"),
    Failure(50173, "invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is "
            "needed. The user might have changed or reset their password.", 400, "bad_token"),
    Failure(50196, "invalid_grant", "The server terminated an operation because it encountered a client request "
            "loop. Please contact your app vendor."),
    # people
    Failure(50034, "invalid_grant", "The user account {0} does not exist in the directory."),
    Failure(50126, "invalid_grant", "Error validating credentials due to invalid username or password."),
    Failure(50020, "invalid_grant", "User account from identity provider does not exist in tenant and cannot access "
            "the application."),
    Failure(50057, "invalid_grant", "The user account is disabled."),
    Failure(50058, "login_required", "A silent sign-in request was sent but no user is signed in."),
    Failure(50076, "interaction_required", "Due to a configuration change made by your administrator, or because you "
            "moved to a new location, you must use multi-factor authentication to access '{0}'.", 400, "basic_action"),
    Failure(50079, "interaction_required", "Due to a configuration change made by your administrator, or because you "
            "moved to a new location, you must enroll in multi-factor authentication to access '{0}'.", 400,
            "basic_action"),
    Failure(50097, "interaction_required", "Device authentication is required.", 400, "basic_action"),
    Failure(53003, "interaction_required", "Access has been blocked by Conditional Access policies. The access policy "
            "does not allow token issuance.", 400, "message_only"),
    Failure(65001, "consent_required", "The user or administrator has not consented to use the application with ID "
            "'{0}'. Send an interactive authorization request for this user and resource.", 400, "consent_required"),
    Failure(65004, "access_denied", "User declined to consent to access the app."),
    Failure(90094, "access_denied", "An administrator of '{0}' has set a policy that prevents you from granting the "
            "permissions the application asks for. Contact an administrator, who can grant permissions."),
    # device code
    Failure(70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    Failure(70018, "bad_verification_code", "Invalid verification code."),
    Failure(70020, "expired_token", "The provided value for the input parameter 'device_code' is not valid. This "
            "device code has expired."),
    # weather
    Failure(90033, "temporarily_unavailable", "A transient error has occurred. Please try again.", 503),
    Failure(90055, "temporarily_unavailable", "Server terminated the request because there are too many requests.",
            429),
)  # fmt: skip

FAILURES: Mapping[int, Failure] = {failure.code: failure for failure in _TABLE}


class Refused(Exception):
    """The sign-in service says no, with a number of `FAILURES`.

    `claims` (JSON text) go out with the body; `error` replaces the table's OAuth error.
    """

    def __init__(self, code: int, *values: str, claims: str = "", error: str = "") -> None:
        self.failure = replace(FAILURES[code], error=error or FAILURES[code].error)
        self.claims = claims
        self.text = self.failure.text.format(*values, *["…"] * 2)
        super().__init__(f"AADSTS{code}: {self.text}")


def error_body(refused: Refused, now: float, correlation_id: str = "") -> dict[str, Any]:
    """The JSON body of a refusal, with the fields and the multi-line description of the real service."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = str(uuid.uuid4()), correlation_id or str(uuid.uuid4())
    body = {
        "error": refused.failure.error,
        "error_description": f"{refused}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}",
        "error_codes": [refused.failure.code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refused.failure.code}",
    }
    extra = {"suberror": refused.failure.suberror, "claims": refused.claims}
    return body | {name: value for name, value in extra.items() if value}
