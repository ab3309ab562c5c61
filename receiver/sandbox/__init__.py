"""A stateful Graph server to develop and rehearse against, built from Facebook's page."""
