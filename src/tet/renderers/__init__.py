"""Renderers for Pyramid."""
