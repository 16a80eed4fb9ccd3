"""Many holders, few accounts, servers that die: no account and no person is held twice, and nothing that was told is lost."""
