// Nothing: its target precompiles the headers that all tests include.
