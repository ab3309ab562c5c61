"""The dashboard: pages for the people who run the receiver."""
