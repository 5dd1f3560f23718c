;(function (root, factory) {
	if (typeof exports === "object") {
		module.exports = exports = factory(require("./core"));
	}
	else if (typeof define === "function" && define.amd) {
		define(["./core"], factory);
	}
	else {
		factory(root.PlainCrypto);
	}
}(this, function (C) {

	C.PBKDF2 = function (prf, salt, iterations) {
		var block = prf(salt);
		var out = block.slice(0);
		for (var i = 1; i < iterations; i++) {
			block = prf(block);
			out = out.map(function (value, at) { return value ^ block[at]; });
		}
		return out;
	};

	return C.PBKDF2;

}));
