"""The receiver's own sets and their requests: answered from SQL, and created as intents."""
