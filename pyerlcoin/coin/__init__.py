"""The game without I/O: what a coin is, units and ranges, sizing, the ledger's rules. No sockets, files or clock."""
