"""Exports: all that meets some filters, row by row, in constant memory."""
