"""Keys by reference: a profile says where a key is, and it is read when it is used.

`env:NAME`, `file:PATH`, `cmd:COMMAND` (a password manager's) or `keyring:SERVICE/USER`. No error here repeats a value.
"""
