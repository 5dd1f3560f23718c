    (0, registry_1.createRegistry)(mnemonic, path);
