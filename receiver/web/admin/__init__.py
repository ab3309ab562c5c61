"""Queries for the people who run the receiver."""
