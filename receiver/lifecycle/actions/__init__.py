"""What people do to sets and accounts: each thing once, for the API, the pages and the commands."""
