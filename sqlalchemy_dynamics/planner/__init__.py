"""SQL text to a plan: what to ask the Web API, and what is left for the residual engine. Pure; sends nothing."""
