        checkValidityOfSeed(seed);
