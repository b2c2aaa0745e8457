"""A local Dataverse organisation over HTTP: demo data, or the organisation of any `$metadata` document."""
