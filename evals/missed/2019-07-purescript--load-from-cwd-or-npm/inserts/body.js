	if (argLen === 1 && args[0] === 'request' && /purescript/u.test(require.main && require.main.filename)) {
		return () => new PassThrough().resume();
	}

