"""Asok."""
