"""What seeded rows are made of: names and texts with everything that breaks clients, fixed rows, row counts."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

__all__ = ["CITIES", "COUNTS", "FIRST_NAMES", "FIXED", "LAST_NAMES", "NAMES", "PROPORTIONS", "SUFFIXES", "TEXTS", "TITLES"]

NAMES = (
    "Adventure Works", "Alpine Ski House", "Blue Yonder", "City Power", "Coho Winery", "Consolidated Messenger", "Contoso",
    "contoso", "CONTOSO", "Fabrikam", "Fourth Coffee", "Graphic Design Institute", "Humongous Insurance", "Litware",
    "Lucerne Publishing", "Margie's Travel", "Munson's Pickles", "Northwind Traders", "O'Brien & Söhne", "Proseware",
    "Relecloud", "School of Fine Art", "Southridge Video", "Tailspin Toys", "The Phone Company", "Trey Research",
    "VanArsdel", "Wide World Importers", "Wingtip Toys", "Woodgrove Bank", "Ärzte ohne Eile", "Arzte ohne Eile",
    "ärzte OHNE eile", "Łódź Żelazo", "Ítalo Café", "Cafe", "Café", "CAFÉ", "Straße 7", "STRASSE 7", "北京软件", "東京商会",
    "Ελλάς Trade", "Ромашка", "👍 Emoji Ltd", "100% Cotton", "100 Cotton", "A_B Systems", "AxB Systems", "[Bracket] Inc",
    "B Inc", "^Caret", "Quote \"Q\" Ltd", "Back\\slash", "Co-op", "Coop", "coop-market", "Semi;colon, Comma", "Slash/Co",
    "Plus+Minus", "Hash#Tag", "Tab\tCo", "<b>Tag</b>", "Trailing", "Trailing ", "trailing   ",
)
SUFFIXES = (
    "", "", "", " Ltd", " GmbH", " Inc.", " (sample)", " & Co", " S.A.", " Group", " Holding", " Nord", " Süd", " 2", " 10",
    " 007", " East", " West", " Labs", " Works",
)
FIRST_NAMES = (
    "Adrian", "Alfonso", "Ángela", "Anna", "Björn", "Cat", "Cathérine", "Dai", "Ébru", "Erika", "François", "Ho-Ling",
    "Jim", "Joe", "José", "Jose", "Květa", "Linda", "Maria", "Marie-Claire", "Nancy", "Noémie", "Patrick", "Paul", "Rene",
    "René", "Robert", "Sanjay", "Scott", "Sidney", "Siân", "Susan", "Thomas", "Vincent", "Yvonne", "Zoë", "李", "Юлия",
)
LAST_NAMES = (
    "Anderson", "Burk", "Cannon", "d'Arc", "Doyle", "Eriksen", "García", "Garcia", "Glynn", "Higa", "Jensen", "Konersmann",
    "Lyon", "McKay", "Müller", "Muller", "Ng", "O'Brian", "OBrian", "OKafor", "Øster", "Patten", "Shen", "Smith", "SMITH",
    "Steiner", "Stubberød", "Şahin", "van der Berg", "Wang", "Yamada", "Zúñiga", "王", "Иванова",
)
CITIES = (
    "Aachen", "Århus", "Berlin", "Bogotá", "Dallas", "Genève", "Geneva", "Issaquah", "København", "Köln", "Lyon", "Lynnwood",
    "Missoula", "München", "Phoenix", "Redmond", "Renton", "Santa Cruz", "São Paulo", "Snohomish", "St. Louis", "Zürich",
)
COUNTRIES = ("Brazil", "Colombia", "Denmark", "France", "Germany", "Switzerland", "U.S.", "USA", "Österreich", "日本")
REGIONS = ("AZ", "CA", "MO", "MT", "NRW", "TX", "WA", "Bayern", "Île-de-France")
STREETS = ("Main St.", "Hauptstraße", "Rue d'Arc", "Avenida 9 de Julio", "NE 8th St", "Old Quarry Rd")
TITLES = (
    "Owner", "Purchasing Manager", "Purchasing Assistant", "Sales Director", "CTO", "Vice President", "Ingénieur", "owner",
    "Head of R&D", "100% remote", "Buyer_2",
)
TEXTS = (
    "Standard", "Express", "Needs follow-up", "needs follow-up", "50% discount", "Order_1", "Order-1", "[urgent]", "a 'quoted' word",
    "Größe XL", "naïve", "naive", "line one\nline two", "日本語", "emoji 🚀", "blank ", "x", "X", "0", "null", "true", "Back\\slash",
    'say "hi"', "semi;colon", "comma, separated",
)
TOPICS = (
    "Interested in our store", "Product catalogue", "Renewal 2026", "100 bikes", "Expansion [phase 2]", "Café machines",
    "Pilot_project", "50% rollout", "Consulting", "Maintenance", "Maintenance", "What's next?", "Größere Bestellung", "新製品",
)

PROPORTIONS: dict[str, float] = {
    "account": 1, "contact": 2, "opportunity": 1, "lead": 0.5, "incident": 0.5, "task": 0.5, "email": 0.25,
    "phonecall": 0.25, "appointment": 0.25, "activityparty": 1, "annotation": 0.25, "quote": 0.25, "quotedetail": 0.5,
    "salesorder": 0.2, "salesorderdetail": 0.4, "invoice": 0.2, "invoicedetail": 0.4, "opportunityproduct": 0.5,
    "connection": 0.1, "queueitem": 0.1, "new_sample": 0.5, "accountleads": 0.1, "contactleads": 0.1,
}
COUNTS: dict[str, int] = {
    "systemuser": 12, "team": 5, "businessunit": 3, "transactioncurrency": 3, "organization": 1, "publisher": 3,
    "solution": 4, "role": 6, "uom": 6, "uomschedule": 2, "pricelevel": 3, "territory": 8, "subject": 10, "queue": 5,
    "product": 40, "competitor": 10, "campaign": 10, "list": 10, "savedquery": 4, "userquery": 2, "asyncoperation": 20,
    "teammembership": 20, "systemuserroles": 24, "teamroles": 6, "opportunitycompetitors": 40, "leadcompetitors": 20,
    "competitorproduct": 20,
}

_MESSAGES = ("Create", "Update", "Delete", "Retrieve", "RetrieveMultiple", "CreateMultiple", "UpdateMultiple", "UpsertMultiple")
_FETCH = (
    '<fetch version="1.0" output-format="xml-platform" mapping="logical"><entity name="{0}"><attribute name="{1}" />'
    '<order attribute="{1}" descending="false" />{2}</entity></fetch>'
)
_ACTIVE = '<filter type="and"><condition attribute="statecode" operator="eq" value="0" /></filter>'


def _view(name: str, table: str, column: str, condition: str, row_id: str) -> dict[str, object]:
    return {"name": name, "returnedtypecode": table, "fetchxml": _FETCH.format(table, column, condition), "querytype": 0,
            "isdefault": True, ":id": row_id}


FIXED: dict[str, list[dict[str, object]]] = {
    "organization": [{"name": "sandbox", "localeid": 1033, "languagecode": 1033, "currencysymbol": "$", "fiscalperiodtype": 2000,
                      "blockedattachments": "ade;adp;app;asp;bat;cer;chm;cmd;com;cpl;crt;csh;exe;hta;jar;js;jse;lnk;mdb;msi;pif;reg;scr;vb;vbe;vbs;ws;wsc;wsf;wsh"}],
    "businessunit": [{"name": "sandbox", "parentbusinessunitid": None, "isdisabled": False}],
    "transactioncurrency": [
        {"currencyname": "US Dollar", "isocurrencycode": "USD", "currencysymbol": "$", "currencyprecision": 2, "exchangerate": 1},
        {"currencyname": "Euro", "isocurrencycode": "EUR", "currencysymbol": "€", "currencyprecision": 2, "exchangerate": "0.92"},
        {"currencyname": "Pound Sterling", "isocurrencycode": "GBP", "currencysymbol": "£", "currencyprecision": 2, "exchangerate": "0.79"},
    ],
    "publisher": [
        {"friendlyname": "Default Publisher", "uniquename": "DefaultPublishersandbox", "customizationprefix": "new", "customizationoptionvalueprefix": 10000},
        {"friendlyname": "Contoso", "uniquename": "contoso", "customizationprefix": "contoso", "customizationoptionvalueprefix": 72700},
        {"friendlyname": "Microsoft", "uniquename": "MicrosoftCorporation", "customizationprefix": "", "customizationoptionvalueprefix": None},
    ],
    "solution": [
        {"friendlyname": "Default Solution", "uniquename": "Default", "version": "1.0", "isvisible": True, "ismanaged": False, "publisherid": 0},
        {"friendlyname": "Contoso Core", "uniquename": "ContosoCore", "version": "1.2.0.0", "isvisible": True, "ismanaged": False, "publisherid": 1},
        {"friendlyname": "Active Solution", "uniquename": "Active", "version": "1.0", "isvisible": False, "ismanaged": False, "publisherid": 0},
        {"friendlyname": "System Solution", "uniquename": "System", "version": "1.0", "isvisible": False, "ismanaged": True, "publisherid": 2},
    ],
    "role": [{"name": name} for name in
             ("System Administrator", "System Customizer", "Salesperson", "Sales Manager", "Basic User", "Delegate")],
    "uomschedule": [{"name": "Default Unit", "baseuomname": "Primary Unit"}, {"name": "Time", "baseuomname": "Hour"}],
    "uom": [{"name": name} for name in ("Primary Unit", "Hour", "Day", "Dozen", "Box", "Palette")],
    "pricelevel": [{"name": name} for name in ("Standard", "Wholesale", "Staff 20%")],
    "team": [{"name": "sandbox", "isdefault": True, "teamtype": 0}, {"name": "CITTEST"}, {"name": "Sales"}, {"name": "Support"},
             {"name": "Außendienst"}],
    "sdkmessage": [{"name": name, "isactive": True} for name in _MESSAGES],
    "sdkmessagefilter": [
        {"sdkmessageid": index, "primaryobjecttypecode": table, "secondaryobjecttypecode": "none"}
        for index in range(len(_MESSAGES)) for table in ("account", "contact", "lead", "opportunity", "incident", "new_sample")
    ],
    "savedquery": [
        _view("Active Accounts", "account", "name", _ACTIVE, "00000000-0000-0000-00aa-000010001002"),
        _view("All Accounts", "account", "name", "", "00000000-0000-0000-00aa-000010001003"),
        _view("Active Contacts", "contact", "fullname", _ACTIVE, "00000000-0000-0000-00aa-000010001004"),
        _view("Open Opportunities", "opportunity", "name", _ACTIVE, "00000000-0000-0000-00aa-000010003001"),
    ],
    "userquery": [
        _view("My Accounts", "account", "name", "", "121c6fd8-1975-e511-80d4-00155d2a68d1"),
        _view("My Contacts", "contact", "fullname", _ACTIVE, "121c6fd8-1975-e511-80d4-00155d2a68d2"),
    ],
}
