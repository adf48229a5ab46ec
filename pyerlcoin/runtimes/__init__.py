"""What the roles need of a node, on each of the nodes there are."""
