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

	C.algo.HMAC = {
		keys: function (blockSize, key) {
			var inner = [], outer = [];
			for (var i = 0; i < blockSize; i++) {
				inner.push((key[i] | 0) ^ 0x36363636);
				outer.push((key[i] | 0) ^ 0x5c5c5c5c);
			}
			return { inner: inner, outer: outer };
		}
	};

	return C.algo.HMAC;

}));
