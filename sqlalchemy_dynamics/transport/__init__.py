"""The only room with sockets: pools, TLS, proxies, time limits, retries and the log."""
