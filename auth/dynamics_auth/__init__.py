"""OAuth sign-in for Dataverse: flows on MSAL, an encrypted token store, the stored procedures. Needs no SQLAlchemy."""
