"""THE table of connection properties: parser, environment, masking, docs and tests all derive from these rows."""

from __future__ import annotations

from collections.abc import Iterable

from dynamics_auth.properties import PROPERTIES as SIGN_IN
from dynamics_auth.properties import Property

__all__ = ["PROPERTIES", "SANDBOX_OPTIONS", "SIGN_IN_NAMES", "TRANSPORT_NAMES", "Property", "fold", "index"]


CONNECTION = (
    Property("OrganizationUrl", kind="url", doc="https://contoso.crm.dynamics.com; http for loopback only."),
    Property("CallerObjectId", doc="Entra object id of the user to act as; needs the privilege to act on behalf."),
    Property("ConnectOnOpen", kind="bool", default="false", doc="Ask WhoAmI when a connection is opened."),
    Property("ReadOnly", kind="bool", default="false", doc="Refuse every statement that would change something."),
    Property(
        "AllowUnfilteredWrites",
        kind="bool",
        default="false",
        doc="Let UPDATE and DELETE without a WHERE change whole tables.",
    ),
    Property(
        "ContinueOnError",
        kind="bool",
        default="false",
        doc="executemany() goes on after rows that are refused; cursor.failures lists them.",
    ),
    Property(
        "DuplicateDetection", kind="bool", default="false", doc="Let duplicate detection rules refuse what is written."
    ),
    Property(
        "BypassPlugins",
        kind="bool",
        default="false",
        doc="Write without the organisation's synchronous plug-ins; needs the privilege to.",
    ),
    Property(
        "BypassBusinessLogic",
        doc="Write without business logic: CustomSync, CustomAsync, or both with a comma; needs the privilege to.",
    ),
    Property(
        "BypassBusinessLogicStepIds",
        doc="Write without these steps of business logic: their ids, with commas; needs the privilege to.",
    ),
    Property("SuppressFlows", kind="bool", default="false", doc="Write without starting Power Automate flows."),
    Property("SolutionUniqueName", doc="Solution that what is written becomes a component of."),
)

FETCHING = (
    Property("PageSize", kind="int", default="5000", allowed=("1..5000",), doc="Rows asked for per page."),
    Property(
        "MaxConcurrency",
        kind="int",
        default="4",
        allowed=("1..52",),
        doc="Requests of a statement under way at a time.",
    ),
    Property("Pushdown", kind="bool", default="true", doc="false fetches whole tables and computes locally."),
    Property(
        "ReflectFiles",
        kind="bool",
        default="true",
        doc="false leaves files out of reflected tables, so that tools listing every column (Superset) download none.",
    ),
    Property(
        "SqlDialect",
        kind="choice",
        default="dynamics",
        allowed=("dynamics", "tsql"),
        doc="tsql reads T-SQL's spelling: TOP, [name], +, CONVERT, DATEADD, x = column; meanings stay the driver's.",
    ),
    Property("MemoryLimit", kind="size", default="1GB", doc="Memory of the local engine before it spills to disk."),
    Property("TempDirectory", kind="path", doc="Where the local engine spills; unset: the system's temporary folder."),
    Property("CacheLocation", kind="path", doc="Folder of the metadata cache; unset: the user's cache folder."),
    Property("MetadataTTL", kind="seconds", default="300", doc="Seconds before cached metadata is checked again."),
)

ROUND_TRIPS = (
    Property("Timeout", kind="seconds", default="60", doc="Seconds one round trip may take; 0 waits for ever."),
    Property(
        "TotalTimeout",
        kind="seconds",
        default="300",
        doc="Seconds until a reply must be complete, however slowly it drips; 0 waits for ever.",
    ),
    Property("MaxRetries", kind="int", default="8", allowed=("0..100",), doc="Times a request is sent again."),
    Property(
        "RetryDeadline",
        kind="seconds",
        default="300",
        doc="Seconds after which a throttled or lost request is not sent again.",
    ),
)

TLS = (
    Property(
        "SSLServerCert",
        kind="text",
        doc="A certificate to accept beside the system's: PEM text, a PEM or DER file, a public key, "
        "an MD5, SHA-1 or SHA-256 thumbprint, or * for any.",
    ),
    Property("SSLClientCert", kind="text", doc="Client certificate with its key: PEM text, or a PEM or PFX file."),
    Property("SSLClientCertPassword", secret=True, doc="Password of the client certificate's key."),
)

PROXIES = (
    Property(
        "ProxyAutoDetect",
        kind="bool",
        default="true",
        doc="Use the system's proxy (HTTPS_PROXY, NO_PROXY, Windows or macOS settings) when ProxyServer is not set.",
    ),
    Property("ProxyServer", doc="Host of the HTTP proxy."),
    Property("ProxyPort", kind="int", default="80", allowed=("1..65535",), doc="Port of the HTTP proxy."),
    Property(
        "ProxyAuthScheme",
        kind="choice",
        default="BASIC",
        allowed=("BASIC", "DIGEST", "NTLM", "NEGOTIATE", "NONE"),
        doc="How to sign in at the HTTP proxy.",
    ),
    Property("ProxyUser", doc="User at the HTTP proxy."),
    Property("ProxyPassword", secret=True, doc="Password at the HTTP proxy."),
    Property("ProxyExceptions", doc='Hosts reached without the proxy: "a.example.com;*.example.org".'),
    Property(
        "FirewallType",
        kind="choice",
        default="NONE",
        allowed=("NONE", "TUNNEL", "SOCKS4", "SOCKS5"),
        doc="Proxy firewall every connection goes through.",
    ),
    Property("FirewallServer", doc="Host of the firewall."),
    Property(
        "FirewallPort", kind="int", default="0", allowed=("0..65535",), doc="0 means 80 for TUNNEL, 1080 for SOCKS."
    ),
    Property("FirewallUser", doc="User at the firewall."),
    Property("FirewallPassword", secret=True, doc="Password at the firewall."),
)

LOGGING = (
    Property("Logfile", kind="path", doc="File that records what the driver does; empty for none."),
    Property(
        "Verbosity",
        kind="int",
        default="1",
        allowed=("1..5",),
        doc="1 statements and errors, 2 requests and where time goes, 3 headers and bodies, 4 TLS and proxies, 5 all.",
    ),
    Property("LogModules", doc="Only these parts, separated by semicolons: EXEC, INFO, HTTP, SSL, AUTH, META, TCP."),
    Property("MaxLogFileSize", kind="size", default="100MB", doc="Size at which a new file is begun; at least 100KB."),
    Property("MaxLogFileCount", kind="int", default="-1", doc="Log files kept, at least 2; 0 or less keeps all."),
)

SANDBOX_OPTIONS = (
    Property("rows", kind="int", doc="Rows per table of the sandbox."),
    Property("seed", kind="int", doc="Seed of the sandbox's rows."),
    Property("metadata", kind="path", doc="CSDL file whose organisation the sandbox becomes."),
    Property("database", kind="path", doc="SQLite file that keeps the sandbox's rows."),
    Property("latency", kind="int", doc="Milliseconds the sandbox waits before it answers."),
    Property("max_page_size", kind="int", doc="Rows per page at most."),
    Property("aggregate_limit", kind="int", doc="Rows that may be aggregated."),
    Property("count_limit", kind="int", doc="Highest count told."),
    Property("fault", doc="KIND:WHEN[:ARG], several by repeating it."),
)
"""Options of ``dynamics://sandbox/?…`` alone."""

TRANSPORT_NAMES = tuple(row.name for row in (*ROUND_TRIPS[:2], *TLS, *PROXIES, *LOGGING))
"""Properties that one pool of connections depends on."""

SIGN_IN_NAMES = tuple(row.name for row in SIGN_IN)

PROPERTIES: tuple[Property, ...] = (*CONNECTION, *SIGN_IN, *FETCHING, *ROUND_TRIPS, *TLS, *PROXIES, *LOGGING)

_IGNORED = dict.fromkeys(map(ord, " _-"))


def fold(name: str) -> str:
    """The form under which names are compared: case, blanks, hyphens and underscores do not matter."""
    return name.casefold().translate(_IGNORED)


def index(rows: Iterable[Property]) -> dict[str, Property]:
    """Rows by every folded name and alias."""
    return {fold(name): row for row in rows for name in (row.name, *row.aliases)}
