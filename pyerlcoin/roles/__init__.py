"""The two parts of the game, server and miner, on any runtime that offers `roles.cluster.Cluster`."""
