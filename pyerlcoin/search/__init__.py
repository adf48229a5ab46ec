"""Engines that search a range of integers for coins, and the pool that runs them on every core."""
