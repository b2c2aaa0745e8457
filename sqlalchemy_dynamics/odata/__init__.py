"""The Web API protocol as pure functions: values to text, queries to requests, replies to pages and errors."""
