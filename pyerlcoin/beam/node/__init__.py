"""The node on asyncio: sockets, port mapper, connections, processes, monitors and links, GenServer."""
