    createRegistry(mnemonic, path);
