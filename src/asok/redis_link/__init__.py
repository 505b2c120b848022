"""A way to a Redis server that never holds anybody up: one deadline, a breaker, renewed leases.

What several rooms need of Redis. Nothing here is imported before a Redis backend is chosen.
"""
