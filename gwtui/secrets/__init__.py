"""Keys by reference: a profile says where a key is, and it is read when it is used.

`env:NAME`, `file:PATH`, `cmd:COMMAND` (a password manager's), `keyring:SERVICE/USER` or `aws:PROFILE`, whose value
signs requests instead of being sent. No error here repeats a value.
"""
