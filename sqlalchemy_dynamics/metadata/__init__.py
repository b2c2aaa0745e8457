"""What tables an organisation has: the model, and how `$metadata` and EntityDefinitions become it. Pure."""
