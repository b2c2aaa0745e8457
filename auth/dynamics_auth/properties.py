"""THE table of sign-in properties: parser, documentation and tests derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEFAULT_CALLBACK", "EMBEDDED_CLIENT_ID", "PROPERTIES", "Property", "canonical"]

EMBEDDED_CLIENT_ID = "51f81489-12ee-4a9e-aaae-a2591f45987d"
"""Microsoft's documented public sample application for Dataverse (redirect ``http://localhost``)."""

DEFAULT_CALLBACK = "http://localhost:33333"

PropertyKind = Literal["str", "int", "bool", "choice", "path", "url", "seconds", "size", "text"]


@dataclass(frozen=True)
class Property:
    """One connection property. An empty `default` means unset; where unset has a meaning, `doc` says which."""

    name: str
    aliases: tuple[str, ...] = ()
    kind: PropertyKind = "str"
    default: str = ""
    allowed: tuple[str, ...] = ()
    secret: bool = False
    doc: str = ""


PROPERTIES: tuple[Property, ...] = (
    Property(
        "AuthScheme",
        kind="choice",
        default="AzureAD",
        allowed=(
            "AzureAD",
            "AzureServicePrincipal",
            "AzureServicePrincipalCert",
            "AzureMSI",
            "DeviceCode",
            "Password",
        ),
        doc="How to sign in: a user in the browser, an application by secret or certificate, a managed identity, "
        "a device code, or user and password (no MFA).",
    ),
    Property(
        "InitiateOAuth",
        kind="choice",
        default="OFF",
        allowed=("OFF", "REFRESH", "GETANDREFRESH"),
        doc="OFF: use OAuthAccessToken as it is. REFRESH: renew from the settings file, OAuthRefreshToken or "
        "OAuthVerifier, never open a browser. GETANDREFRESH: sign in through the browser when needed.",
    ),
    Property("OAuthClientId", doc="Application (client) id. Unset: the settings file's, else the embedded public app."),
    Property("OAuthClientSecret", secret=True, doc="Secret of a custom application; never for the embedded one."),
    Property("OAuthAccessToken", secret=True, doc="A bearer token obtained elsewhere."),
    Property("OAuthRefreshToken", secret=True, doc="A refresh token obtained elsewhere; the store's newer one wins."),
    Property("OAuthExpiresIn", kind="int", doc="Lifetime of OAuthAccessToken in seconds, counted from its creation."),
    Property("OAuthTokenTimestamp", kind="int", doc="Creation of OAuthAccessToken, Unix epoch milliseconds."),
    Property(
        "OAuthVerifier",
        kind="text",
        secret=True,
        doc="The authorization code, or better the whole address the browser ended on; redeemed once.",
    ),
    Property(
        "OAuthSettingsLocation",
        kind="path",
        doc="Where tokens are kept, encrypted: a file, memory://name, keyring://service/name, "
        "sqlalchemy+<database URL>#name. Unset: OAuthSettings.txt in the user's configuration folder.",
    ),
    Property(
        "OAuthSettingsPassphrase",
        secret=True,
        doc="Opens and seals the settings file; the same one elsewhere opens a copy. "
        "Environment: DYNAMICS_OAUTH_PASSPHRASE.",
    ),
    Property("OAuthSettingsKeyFile", kind="path", doc="File with 32 bytes in base64, readable by its owner only."),
    Property(
        "OAuthSettingsProtection",
        kind="choice",
        default="ENCRYPTED",
        allowed=("ENCRYPTED", "PERMISSIONS"),
        doc="PERMISSIONS stores the key inside the file: it opens anywhere and only file permissions protect it.",
    ),
    Property("CallbackURL", doc=f"Redirect URI of the app. Unset: the settings file's, else {DEFAULT_CALLBACK}."),
    Property("Tenant", aliases=("AzureTenant",), doc="Directory id or domain; else the file's, else common."),
    Property(
        "AzureEnvironment",
        kind="choice",
        allowed=("GLOBAL", "CHINA", "USGOVT", "USGOVTDOD"),
        doc="Which cloud signs in. Unset: by the organisation's host name.",
    ),
    Property("AuthorityUrl", doc="Any other login service, https://host[:port][/tenant]; AD FS: https://host/adfs."),
    Property(
        "OAuthGrantType",
        kind="choice",
        allowed=("CODE", "CLIENT"),
        doc="CLIENT is the older spelling of AuthScheme=AzureServicePrincipal.",
    ),
    Property("OAuthJWTCert", secret=True, doc="Certificate and private key: a path, or their text for *BLOB types."),
    Property(
        "OAuthJWTCertType",
        kind="choice",
        allowed=("PFXFILE", "PFXBLOB", "PEMKEY_FILE", "PEMKEY_BLOB"),
        doc="Form of OAuthJWTCert; PFXBLOB is base64. Unset: by the look of OAuthJWTCert.",
    ),
    Property("OAuthJWTCertPassword", secret=True, doc="Password of the certificate's private key."),
    Property("User", doc="User principal name: signs in under AuthScheme=Password, else picks the account."),
    Property("Password", secret=True, doc="Password of User, for AuthScheme=Password only."),
    Property(
        "Prompt",
        kind="choice",
        default="select_account",
        allowed=("select_account", "login", "consent", "none"),
        doc="What the login page asks; none leaves it to the login service.",
    ),
    Property("OAuthSignInTimeout", kind="int", default="60", doc="Seconds to wait for the person in the browser."),
)

_NAMES = {name.lower(): row for row in PROPERTIES for name in (row.name, *row.aliases)}


def canonical(name: str) -> Property | None:
    """The property of that name or alias in any case, None when sign-in knows none such."""
    return _NAMES.get(name.lower())
