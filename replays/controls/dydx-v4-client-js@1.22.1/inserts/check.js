    if (!/^m(\/\d+'?)+$/.test(path)) {
        throw new Error('The path of a key is not a path: ' + path);
    }
